package loader

import (
	"bytes"
	"errors"
	"slices"
	"unicode/utf8"

	"coverd/geo"
	"coverd/index"
)

// Codes of rows of outcomes that are rejected, beside those of extracts.
const (
	CodeOutcome       Code = "outcome"       // neither success nor no SM WAN
	CodeContradiction Code = "contradiction" // a success, and an install type without SM WAN
	CodeAmbiguous     Code = "ambiguous"     // a postcode without address, whose premises differ
)

// installation is what came of one.
type installation uint8

const (
	installSuccess installation = iota
	installNoWAN
	noOutcome
)

// successNames and noWANNames are spellings of the outcomes, in the form in which
// names are compared.
var (
	successNames = []string{"installsuccess", "success", "successful", "installed", "8141", "8141installsuccess", "srv8141"}
	noWANNames   = []string{"installnosmwan", "nosmwan", "nowan", "8142", "8142installnosmwan", "srv8142", "chfinstallnosmwan"}
)

// scorer scores rows. Each worker has its own.
type scorer struct {
	annotator // cells and locations
	t         *scoring
	counts    *scoreCounts
	success   []string
	noWAN     []string
	// What cells have been read as, so that each text is looked at once.
	outcomes map[string]installation
	values   [numOutcomeColumns]map[string]string
	cells    [numOutcomeColumns][]byte // scratch
	found    []index.Indication
	there    []index.Indication // of the postcode's premises, each with its details
	gone     []index.Departed
}

// maxSeen bounds what is remembered of cells.
const maxSeen = 1 << 10

func newScorer(t *scoring) *scorer {
	x := &scorer{t: t, counts: newScoreCounts(), outcomes: map[string]installation{}}
	x.columns, x.lex = t.columns.sheetColumns, sheetLexer{separator: t.columns.separator}
	for i, key := range SheetKeys {
		x.at[i] = t.columns.at[key]
	}
	for i := range x.values {
		x.values[i] = map[string]string{}
	}
	if n := len(t.chain.snaps); n > 0 {
		x.s = t.chain.snaps[n-1]
	}
	fold := func(own, more []string) []string {
		own = slices.Clone(own)
		for _, s := range more {
			own = append(own, sheetName(s))
		}
		return own
	}
	x.success, x.noWAN = fold(successNames, t.o.Success), fold(noWANNames, t.o.NoWAN)
	return x
}

// block scores a block's rows.
func (x *scorer) block(b *sheetBlock) (p scoredPart) {
	data, line := b.data, 0
	reject := func(row []byte, f *cellFault) {
		p.rejects = append(p.rejects, Reject{
			Line: line, Column: f.column, Code: f.code, Reason: f.msg, Row: clipRow(row, maxRowKept), Digest: rowDigest(row),
		})
	}
	if b.long {
		if b.end {
			p.rows++
			reject(trimEnd(data), fault("", CodeLineLength, "a line of over %d bytes, of which this is the end", maxRecord))
		}
		return p
	}
	for len(data) > 0 {
		n, err := x.lex.next(data)
		row := data[:n]
		data = data[n:]
		text := trimEnd(row)
		switch {
		case len(text) == 0: // a blank line is no row
		case err != nil:
			p.rows++
			reject(text, fault("", CodeQuotes, "%v", err))
		case len(x.lex.ends) != x.columns.fields:
			p.rows++
			reject(text, fault("", CodeFieldCount, "%d fields, the header has %d", len(x.lex.ends), x.columns.fields))
		default:
			p.rows++
			if f := x.score(row); f != nil {
				reject(text, f)
			}
		}
		line += bytes.Count(row, []byte{'\n'})
	}
	return p
}

// outcomeCell returns the row's cell of a column of outcomes; empty where there is
// none.
func (x *scorer) outcomeCell(row []byte, k int) []byte {
	if x.t.columns.outcome[k] < 0 {
		return nil
	}
	return x.lex.field(row, x.t.columns.outcome[k], &x.cells[k])
}

// value reads a cell of a column of outcomes that has a few values.
func (x *scorer) value(row []byte, k int) string {
	cell := x.outcomeCell(row, k)
	v, ok := x.values[k][string(cell)]
	if !ok {
		v = outcomeValue(k, string(cell))
		if len(x.values[k]) < maxSeen {
			x.values[k][string(cell)] = v
		}
	}
	return v
}

// outcome reads what came of the installation.
func (x *scorer) outcome(row []byte) (installation, *cellFault) {
	cell, kind := x.outcomeCell(row, keyOutcome), x.value(row, keyInstallType)
	if len(cell) == 0 {
		switch kind {
		case noWANInstall:
			return installNoWAN, nil
		case valueEmpty, valueUnknown:
			return 0, fault(string(SheetOutcome), CodeOutcome, "there is none, and no install type that tells it")
		}
		return installSuccess, nil
	}
	o, ok := x.outcomes[string(cell)]
	if !ok {
		o = noOutcome
		switch name := sheetName(string(cell)); {
		case slices.Contains(x.success, name):
			o = installSuccess
		case slices.Contains(x.noWAN, name):
			o = installNoWAN
		}
		if len(x.outcomes) < maxSeen {
			x.outcomes[string(cell)] = o
		}
	}
	switch {
	case o == noOutcome:
		return 0, fault(string(SheetOutcome), CodeOutcome, "neither Install Success nor Install, No SM WAN: %.40q", cell)
	case o == installSuccess && kind == noWANInstall:
		return 0, fault(string(SheetInstallType), CodeContradiction, "%q, and the outcome is %.40q", kind, cell)
	}
	return o, nil
}

// outcomeDay reads a date: ISO 8601, with a time or without, or as written in
// Britain: 24/12/2026.
func outcomeDay(cell []byte) (index.Day, error) {
	switch {
	case len(cell) > 10 && (cell[10] == 'T' || cell[10] == ' '):
		return index.ParseDay(cell[:10])
	case len(cell) == 10 && cell[2] == '/' && cell[5] == '/':
		return index.ParseDay(string(cell[6:]) + "-" + string(cell[3:5]) + "-" + string(cell[:2]))
	}
	return index.ParseDay(cell)
}

// score scores a row, or tells why it cannot be.
func (x *scorer) score(row []byte) *cellFault {
	on, err := outcomeDay(x.outcomeCell(row, keyInstallationDate))
	if err != nil {
		return fault(string(SheetInstallationDate), CodeDate, "%v", err)
	}
	result, f := x.outcome(row)
	if f != nil {
		return f
	}
	q := question{on: on, known: on - index.Day(x.t.o.Lead)}
	if f := x.key(row, &q); f != nil {
		return f
	}
	verdict := scored{result: result, outcode: q.postcode.Outcode()}
	var inForce bool
	if q.s, inForce, q.ok = x.t.chain.at(q.known); !q.ok {
		verdict.indicated = notKnown
	} else if f := x.indicated(row, &q, inForce, &verdict); f != nil {
		return f
	}
	for k := keyInstallType; k < numOutcomeColumns; k++ {
		if x.t.columns.outcome[k] >= 0 {
			verdict.values[k] = x.value(row, k)
		}
	}
	x.counts.count(&verdict)
	return nil
}

// question is what is asked of the database for a row.
type question struct {
	s         *index.Snapshot
	ok        bool
	on, known index.Day
	uprn      geo.UPRN     // 0: none
	postcode  geo.Postcode // the zero value: none
}

// key reads the keys of a row.
func (x *scorer) key(row []byte, q *question) *cellFault {
	uprn, postcode := x.cell(row, keyUPRN), x.cell(row, keyPostcode)
	var err error
	if len(uprn) > 0 {
		if q.uprn, err = geo.ParseUPRN(uprn); err != nil {
			return fault(string(SheetUPRN), CodeUPRN, "not a UPRN: %s", detailOf(err))
		}
	}
	if len(postcode) > 0 {
		if q.postcode, err = geo.ParsePostcode(postcode); errors.Is(err, geo.ErrOutOfArea) {
			return fault(string(SheetPostcode), CodeOutOfArea, "a postcode out of area: %s", detailOf(err))
		} else if err != nil {
			return fault(string(SheetPostcode), CodePostcode, "not a postcode: %s", detailOf(err))
		}
	}
	x.place = sheetPlace{}
	if !x.located(row) && x.place.why != 0 && q.uprn == 0 && !q.postcode.IsValid() {
		code := CodeCoordinate
		if x.place.why == outsideGreatBritain {
			code = CodeOutside
		}
		return fault("", code, "%s", x.place.detail)
	}
	if q.uprn == 0 && !q.postcode.IsValid() && !x.place.ok {
		return fault("", CodeNoIdentity, "neither a UPRN, nor a postcode, nor a location")
	}
	return nil
}

// indicated finds what the database said to a question, and fills in the verdict.
func (x *scorer) indicated(row []byte, q *question, inForce bool, v *scored) *cellFault {
	x.found = x.found[:0]
	known := true // what follows from finding none
	var f *cellFault
	if q.uprn != 0 {
		if p, ok := q.s.UPRN(q.uprn); ok {
			x.remember(p.Known(q.known))
			v.at(p.Postcode())
		} else if d, ok := q.s.Departed(q.uprn); ok {
			x.remember(d.Known(q.known))
			v.at(d.Postcode())
		}
	}
	if there := func(i index.Indication) bool { return i.Present }; !slices.ContainsFunc(x.found, there) && q.postcode.IsValid() {
		// That one has gone to another postcode since is not remembered.
		known = inForce || q.uprn != 0
		f = x.atPostcode(row, q)
	}
	if f != nil {
		return f
	}
	var state index.State // 0: none was there
	for i := range x.found {
		if x.found[i].Present {
			state = max(state, x.found[i].Claims.State(q.on))
		}
	}
	switch {
	case state != 0:
		v.indicated, v.fit = byState[state], x.fit(state, q.on)
	case !known:
		v.indicated = notKnown
	default:
		v.indicated = noPremisesIndicated
		x.estimate(q, inForce, v)
	}
	return nil
}

// fit is the claim to fit for of those found in a state; nil where there is none,
// or they have several.
func (x *scorer) fit(state index.State, on index.Day) (claim *index.Claim) {
	for i := range x.found {
		if !x.found[i].Present || x.found[i].Claims.State(on) != state {
			continue
		}
		fit, ok := x.found[i].Claims.Fit(on)
		switch c := fit.Claim; {
		case !ok, claim != nil && (c.CSP != claim.CSP || c.Network != claim.Network || c.Variant != claim.Variant):
			return nil
		default:
			claim = c
		}
	}
	return claim
}

// remember adds an indication, if it is known.
func (x *scorer) remember(i index.Indication, ok bool) {
	if ok {
		x.found = append(x.found, i)
	}
}

// atPostcode finds the premises of a postcode, those that have gone from it since
// included, that a row means: by its address, or all of them if they agree.
func (x *scorer) atPostcode(row []byte, q *question) *cellFault {
	address := x.cell(row, keyAddress)
	if !utf8.Valid(address) {
		return fault(string(SheetAddress), CodeEncoding, "it is not UTF-8")
	}
	if len(address) == 0 && q.uprn != 0 {
		return nil // it is none of those there
	}
	x.there, x.details = x.there[:0], x.details[:0]
	if unit, ok := q.s.Postcode(q.postcode); ok {
		for i := range unit.Len() {
			p := unit.Premises(i)
			x.wasThere(p.Address(), p.Known, q)
		}
	}
	x.gone = q.s.AppendDeparted(x.gone[:0], q.postcode)
	for _, d := range x.gone {
		x.wasThere(d.Address(), d.Known, q)
	}
	if len(address) > 0 {
		x.matcher.Ask(address)
		places, _ := x.matcher.AppendFound(nil, x.details)
		for _, i := range places {
			x.found = append(x.found, x.there[i])
		}
		return nil
	}
	states := map[index.State]bool{}
	for i := range x.there {
		states[x.there[i].Claims.State(q.on)] = true
	}
	if len(states) > 1 {
		return fault(string(SheetPostcode), CodeAmbiguous, "%s has %d premises, not all in one state: want a UPRN or an address", q.postcode, len(x.there))
	}
	x.found = append(x.found, x.there...)
	return nil
}

// wasThere lists a premises if it was there on the known day.
func (x *scorer) wasThere(address []byte, known func(index.Day) (index.Indication, bool), q *question) {
	if i, ok := known(q.known); ok && i.Present {
		x.there = append(x.there, i)
		x.details = append(x.details, index.Details{Address: address})
	}
}

// estimate scores what would have been estimated where there was no premises.
func (x *scorer) estimate(q *question, inForce bool, v *scored) {
	e := &x.annotator.estimate
	e.Only = index.NoNetwork
	ok := false
	switch {
	case !inForce:
		v.estimated = estimateNotKnown
		return
	case x.place.ok:
		ok = q.s.EstimateAt(e, x.place.at, q.on)
	case q.postcode.IsValid():
		ok = q.s.EstimatePostcode(e, q.postcode, q.on)
	}
	switch {
	case !ok:
		v.estimated = estimateNone
	case e.State == index.Unknown:
		v.estimated = estimateUnknown
	default:
		v.estimated, v.confidence = estimateMade, e.Confidence
		v.agrees = (e.State == index.Available) == (v.result == installSuccess)
	}
}
