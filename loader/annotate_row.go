package loader

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"coverd/geo"
	"coverd/index"
)

// sheetOutcome is what came of a row, or why nothing did.
type sheetOutcome uint8

const (
	premisesFound sheetOutcome = iota
	noPremisesFound
	locationResolved
	unknownUPRN
	unknownPostcode
	outOfArea
	outsideGreatBritain
	malformedUPRN
	malformedPostcode
	malformedAddress
	malformedCoordinate
	malformedGridReference
	malformedRow
	noKey
	numOutcomes
)

// outcomeNames are those of answers and problems over HTTP, and three more: for
// a cell that is not UTF-8, for a row that is none, and for one without anything
// to look it up by.
var outcomeNames = [numOutcomes]string{
	"premises_found", "no_premises_found", "location_resolved", "unknown_uprn", "unknown_postcode", "out_of_area", "outside_great_britain",
	"malformed_uprn", "malformed_postcode", "malformed_address", "malformed_coordinate", "malformed_grid_reference", "malformed_row", "no_key",
}

// BasisPremises is the basis of a state that CSPs claim of the premises itself,
// and no estimate.
const BasisPremises = "premises"

// annotator appends to rows what is known. Each worker has its own.
type annotator struct {
	s       *index.Snapshot
	columns *sheetColumns
	on      index.Day
	at      [numSheetColumns]int // by place in SheetKeys
	lex     sheetLexer
	last    []byte // the last three cells, with a separator before each

	states    []index.State      // by kind; 0: not worked out yet
	kinds     memo[[]byte]       // what is appended for premises of a kind
	postcodes memo[postcodeText] // and for a postcode alone
	answer    annotation
	place     sheetPlace // of the row
	estimate  index.Estimate
	details   []index.Details
	matcher   index.AddressMatcher
	found     []int
	reason    []byte
	scratch   [numSheetColumns][]byte
}

const numSheetColumns = 10

// postcodeText is what is appended for a postcode alone.
type postcodeText struct {
	text    []byte
	outcome sheetOutcome
	state   index.State
}

// annotation is what is appended to a row.
type annotation struct {
	outcome    sheetOutcome
	state      index.State // 0: none
	fit        index.Fit
	hasFit     bool
	region     geo.Region
	basis      string
	confidence float64 // below 0: none
	distance   float64 // below 0: none
}

func newAnnotator(s *index.Snapshot, c *sheetColumns, on index.Day) *annotator {
	a := &annotator{s: s, columns: c, on: on, lex: sheetLexer{separator: c.separator}, states: make([]index.State, s.Kinds())}
	for i, key := range SheetKeys {
		a.at[i] = c.at[key]
	}
	for _, cell := range []string{s.ID(), s.Info().AsOf.String(), on.String()} {
		a.last = append(append(a.last, c.separator), cell...)
	}
	return a
}

// state is that of premises of a kind.
func (a *annotator) state(kind uint32) index.State {
	st := a.states[kind]
	if st == 0 {
		set, _, _ := a.s.Kind(kind)
		st = set.State(a.on)
		a.states[kind] = st
	}
	return st
}

// block appends a block's rows, each with its annotation, to dst.
func (a *annotator) block(dst []byte, b *sheetBlock, sum *sheetCounts) []byte {
	data := b.data
	if b.long {
		if !b.end {
			return append(dst, data...)
		}
		line := trimEnd(data)
		dst = append(dst, line...)
		a.reason = append(a.reason[:0], errSheetLong.Error()...)
		dst = a.refuse(dst, malformedRow, sum)
		return append(dst, data[len(line):]...)
	}
	for len(data) > 0 {
		n, err := a.lex.next(data)
		row := data[:n]
		data = data[n:]
		line := trimEnd(row)
		dst = append(dst, line...)
		switch {
		case len(line) == 0: // a blank line is no row
		case err != nil:
			a.reason = append(a.reason[:0], err.Error()...)
			dst = a.refuse(dst, malformedRow, sum)
		case len(a.lex.ends) != a.columns.fields:
			a.reason = strconv.AppendInt(a.reason[:0], int64(len(a.lex.ends)), 10)
			a.reason = strconv.AppendInt(append(a.reason, " fields, the header has "...), int64(a.columns.fields), 10)
			dst = a.refuse(dst, malformedRow, sum)
		default:
			dst = a.row(dst, row, sum)
		}
		dst = append(dst, row[len(line):]...)
	}
	return dst
}

// refuse appends an outcome that is no answer; why is in reason.
func (a *annotator) refuse(dst []byte, o sheetOutcome, sum *sheetCounts) []byte {
	a.answer = annotation{outcome: o, confidence: -1, distance: -1}
	return a.append(dst, sum)
}

// cell returns the row's cell of a kind, empty where there is none.
func (a *annotator) cell(row []byte, kind int) []byte {
	if a.at[kind] < 0 {
		return nil
	}
	return a.lex.field(row, a.at[kind], &a.scratch[kind])
}

// Places in SheetKeys.
const (
	keyUPRN = iota
	keyPostcode
	keyAddress
	keyLatitude
	keyLongitude
	keyEasting
	keyNorthing
	keyX
	keyY
	keyGridReference
)

// row looks a row up and appends what was found.
func (a *annotator) row(dst, row []byte, sum *sheetCounts) []byte {
	failed := noKey
	a.reason = a.reason[:0]
	fail := func(o sheetOutcome, detail string) {
		failed = o
		a.because(outcomeNames[o])
		if detail != "" {
			a.reason = append(append(a.reason, ": "...), detail...)
		}
	}
	if cell := a.cell(row, keyUPRN); len(cell) > 0 {
		switch u, err := geo.ParseUPRN(cell); {
		case err != nil:
			fail(malformedUPRN, detailOf(err))
		default:
			if p, ok := a.s.UPRN(u); ok {
				return a.premises(dst, p.Kind(), sum)
			}
			fail(unknownUPRN, "")
		}
	}
	a.place = sheetPlace{}
	if cell := a.cell(row, keyPostcode); len(cell) > 0 {
		p, err := geo.ParsePostcode(cell)
		switch {
		case errors.Is(err, geo.ErrOutOfArea):
			fail(outOfArea, detailOf(err))
		case err != nil:
			fail(malformedPostcode, a.suggest(cell, detailOf(err)))
		default:
			if out, ok := a.postcode(dst, row, p, sum, fail); ok {
				return out
			}
		}
	}
	switch {
	case a.located(row):
		a.answer = annotation{outcome: locationResolved, region: a.place.region}
		a.estimated(a.s.EstimateAt(&a.estimate, a.place.at, a.on))
		return a.append(dst, sum)
	case a.place.why != 0:
		fail(a.place.why, a.place.detail)
	}
	if failed == noKey {
		a.because("neither a UPRN, nor a postcode, nor a location")
	}
	return a.refuse(dst, failed, sum)
}

// because adds to the reason.
func (a *annotator) because(text string) {
	if len(a.reason) > 0 {
		a.reason = append(a.reason, "; "...)
	}
	a.reason = append(a.reason, text...)
}

// detailOf is what an error of a key says, the key itself left out: it is in the
// row.
func detailOf(err error) string {
	if e, ok := errors.AsType[*geo.PostcodeError](err); ok {
		return e.Msg
	}
	if e, ok := errors.AsType[*geo.UPRNError](err); ok {
		return e.Msg
	}
	return err.Error()
}

// suggest adds to a detail which postcodes may have been meant.
func (a *annotator) suggest(cell []byte, detail string) string {
	exists := func(p geo.Postcode) bool {
		_, ok := a.s.Postcode(p)
		return ok
	}
	var texts []string
	for _, s := range geo.SuggestPostcodeFunc(cell, exists) {
		if s.What == "postcode" && len(texts) < 3 {
			texts = append(texts, s.Text)
		}
	}
	if len(texts) == 0 {
		return detail
	}
	return detail + "; did you mean " + strings.Join(texts, " or ") + "?"
}

// premises appends what is claimed of a premises of a kind.
func (a *annotator) premises(dst []byte, kind uint32, sum *sheetCounts) []byte {
	set, region, conflict := a.s.Kind(kind)
	a.answer = annotation{outcome: premisesFound, state: a.state(kind), region: region.Region, basis: BasisPremises, confidence: -1, distance: -1}
	if len(a.reason) == 0 {
		text := a.kinds.of(uint64(kind), func(b *[]byte) {
			a.claimed(set, conflict)
			*b = a.append((*b)[:0], &sheetCounts{})
			a.reason = a.reason[:0]
		})
		sum.outcomes[premisesFound]++
		sum.states[a.answer.state]++
		return append(dst, *text...)
	}
	a.claimed(set, conflict)
	return a.append(dst, sum)
}

// claimed fills in the fit of a premises, and its reason.
func (a *annotator) claimed(set index.ClaimSet, conflict bool) {
	if a.answer.fit, a.answer.hasFit = set.Fit(a.on); a.answer.hasFit {
		a.because("")
		a.reason = a.answer.fit.AppendReason(a.reason)
	} else {
		a.because("no claim that counts")
	}
	if conflict {
		a.because("rows that contradicted each other are left out")
	}
}

// postcode appends what is known at a postcode, narrowed to the row's address if
// it has one. Where no premises is found and there is a location to ask about, or
// nothing is known at all, it appends nothing.
func (a *annotator) postcode(dst, row []byte, p geo.Postcode, sum *sheetCounts, fail func(sheetOutcome, string)) (out []byte, ok bool) {
	address := a.cell(row, keyAddress)
	unit, known := a.s.Postcode(p)
	switch {
	case known && unit.Len() > 0 && len(address) == 0:
		return a.alone(dst, p, func() { a.most(unit) }, sum), true
	case known && unit.Len() > 0:
		if !utf8.Valid(address) {
			fail(malformedAddress, "it is not UTF-8")
			return dst, false
		}
		if kind, n, grade := a.matched(unit, address); n > 0 {
			if grade == index.AddressNormalised {
				a.because("the address is written in another way")
			}
			if n > 1 {
				a.because(strconv.Itoa(n) + " premises have this address, of which this is the worst")
			}
			return a.premises(dst, kind, sum), true
		}
		a.because("address_not_matched")
		if a.located(row) {
			return dst, false
		}
		a.answer = annotation{outcome: noPremisesFound, region: unit.Region().Region}
		a.estimated(a.s.EstimatePostcode(&a.estimate, p, a.on))
		return a.append(dst, sum), true
	}
	reason, region := "postcode_not_in_extracts", geo.NoRegion
	switch {
	case known:
		if unit.Status() == index.Terminated {
			reason = "postcode_terminated"
		}
		region = unit.Region().Region
	default:
		o, ok := a.s.Outcode(p.Outcode())
		if !ok {
			fail(unknownPostcode, "neither register nor extracts know it or its outcode")
			return dst, false
		}
		reason, region = "postcode_not_in_register", o.Regions().Only()
	}
	if a.located(row) {
		a.because(reason)
		return dst, false
	}
	return a.alone(dst, p, func() {
		a.because(reason)
		a.answer = annotation{outcome: noPremisesFound, region: region}
		a.estimated(a.s.EstimatePostcode(&a.estimate, p, a.on))
	}, sum), true
}

// alone appends what follows from a postcode alone, which is remembered where no
// other key has failed.
func (a *annotator) alone(dst []byte, p geo.Postcode, find func(), sum *sheetCounts) []byte {
	if len(a.reason) > 0 {
		find()
		return a.append(dst, sum)
	}
	t := a.postcodes.of(uint64(p.Ordinal()), func(t *postcodeText) {
		find()
		t.text = a.append(t.text[:0], &sheetCounts{})
		t.outcome, t.state = a.answer.outcome, a.answer.state
	})
	sum.outcomes[t.outcome]++
	sum.states[t.state]++
	return append(dst, t.text...)
}

// most says what most premises of a postcode are in: of equally many states, the
// worse. The fit is that of the most frequent kind in that state, and the
// confidence their share, by the rule of succession: they are known, only which
// of them is asked about is not.
func (a *annotator) most(unit index.Unit) {
	a.details = unit.AppendDetails(a.details[:0])
	var sum index.Summary
	var count [len(index.States) + 1]int
	for i := range a.details {
		st := a.state(a.details[i].Kind)
		sum.Add(st, 1)
		count[st]++
	}
	state := index.States[0]
	for _, st := range index.States {
		if count[st] >= count[state] && count[st] > 0 {
			state = st
		}
	}
	kind, most := uint32(0), 0
	for i := range a.details {
		if a.state(a.details[i].Kind) != state {
			continue
		}
		n := 0
		for j := range a.details {
			if a.details[j].Kind == a.details[i].Kind {
				n++
			}
		}
		if n > most {
			kind, most = a.details[i].Kind, n
		}
	}
	set, _, _ := a.s.Kind(kind)
	a.answer = annotation{
		outcome: premisesFound, state: state, region: unit.Region().Region, basis: index.EstimateOwn,
		confidence: float64(count[state]+1) / float64(len(a.details)+2), distance: -1,
	}
	a.answer.fit, a.answer.hasFit = set.Fit(a.on)
	a.because("")
	a.reason = appendCount(a.reason, sum.Premises, "premises")
	for i, n := range []int{sum.Available, sum.Planned, sum.Unavailable, sum.Unknown} {
		if n > 0 {
			a.reason = appendCount(append(a.reason, ", "...), n, [...]string{"available", "planned", "unavailable", "unknown"}[i])
		}
	}
}

func appendCount(b []byte, n int, what string) []byte {
	return append(append(strconv.AppendInt(b, int64(n), 10), ' '), what...)
}

// estimated takes over an estimate; ok says whether there is something to go by.
func (a *annotator) estimated(ok bool) {
	r, e := &a.answer, &a.estimate
	if !ok {
		r.state, r.confidence, r.distance = index.Unknown, -1, -1
		a.because("nothing to go by")
		return
	}
	r.state, r.basis, r.confidence, r.distance = e.State, e.Basis, e.Confidence, e.Distance
	if r.fit, r.hasFit = e.Fit, e.HasFit; r.hasFit {
		a.because("")
		a.reason = r.fit.AppendReason(a.reason)
	}
}
