package loader

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"coverd/geo"
	"coverd/index"
)

// sink takes what the loader accepts; it is an [*index.Builder].
type sink interface {
	Claim(index.Claim) index.ClaimID
	Address([]byte) index.AddressID
	Add([]index.Row)
	Locate(geo.LatLng) index.Allocation
	PostcodeAt(geo.Postcode) geo.Location
}

// csvFile is an open file of a premises extract.
type csvFile struct {
	name   string
	number uint32
	fixes  fixes
	*binding
}

// premisesParser turns blocks of a premises extract into rows. Each worker has
// its own.
type premisesParser struct {
	sink   sink
	claims *claimReader
	lex    lexer
	file   *csvFile

	rows      []index.Row
	scratch   []byte
	key       []byte               // of the claim before
	claimed   readClaim            // that one
	claimIDs  map[string]readClaim // by the raw cells of a claim
	marked    bool                 // the row claims nothing
	addresses *remembered

	counts *rowCounts
	locate func(geo.Postcode) geo.Location // the sink's PostcodeAt
	empty  columnSet                       // columns of the row that are empty
}

// readClaim is a claim that has been read.
type readClaim struct {
	id    index.ClaimID
	empty columnSet
}

// Most rows share a handful of claims, so they are remembered, up to a bound: a
// provider may put something unique into every row.
const maxRemembered = 1 << 15

func newPremisesParser(s sink, c *claimReader, counts *rowCounts) *premisesParser {
	return &premisesParser{
		sink: s, claims: c, claimIDs: map[string]readClaim{}, addresses: newRemembered(),
		counts: counts, locate: s.PostcodeAt,
	}
}

// parsed is what has come of a block or a feature.
type parsed struct {
	rows, accepted int64
	marks          int64 // of the accepted: rows that claim nothing
	rejects        []Reject
	fixed          []fixed // what came of corrections
	rest           *block  // what is left to parse of a block with many rejects
	err            error
}

// maxRejects is how many rejects of a block are held at a time: a row of one
// byte makes a reject of two hundred.
const maxRejects = 4096

// newReject is a bad row.
func newReject(file string, line int, f *cellFault, row []byte) *Reject {
	return &Reject{
		File: file, Line: line, Column: f.column, Code: f.code, Reason: f.msg,
		Row: clipRow(row, maxRowKept), Digest: rowDigest(row),
	}
}

// block parses the rows of a block, gives the good ones to the sink and frees
// the block; it stops where there are too many rejects to hold.
func (p *premisesParser) block(f *csvFile, b block) (out parsed) {
	if p.file != f { // whose columns may be others, or in another order
		p.file, p.key = f, p.key[:0]
		clear(p.claimIDs)
	}
	p.rows = p.rows[:0]
	if b.bad != nil {
		out.rows = 1
		p.settle(&out, b.line, index.Row{}, b.bad)
	}
	data, line := b.data, b.line
	for len(data) > 0 {
		if len(out.rejects) >= maxRejects {
			out.rest = &block{line: line, data: data, cut: b.cut, owner: b.owner}
			b.owner = nil
			break
		}
		n, lines, err := p.lex.next(data)
		raw := trimEnd(data[:n])
		data = data[n:]
		if len(raw) > 0 {
			out.rows++
			switch row, fault := p.row(raw, err); {
			case fault == nil && len(f.fixes) == 0:
				p.take(&out, line, &row)
			case fault == nil:
				p.amend(&out, line, row, raw)
			case b.cut && len(data) == 0 && err == nil && len(p.lex.fields) < len(f.names):
				out.err = &FileError{f.name, int(line), "it is cut: the last row has no line end and only part of its fields"}
				return out
			default:
				p.settle(&out, line, row, newReject(f.name, int(line), fault, raw))
			}
		}
		line += uint32(lines)
	}
	out.accepted = int64(len(p.rows))
	p.sink.Add(p.rows)
	b.free()
	return out
}

// amend takes a good row, unless a correction stands for it: of a row that was
// rejected because of another one.
func (p *premisesParser) amend(out *parsed, line uint32, row index.Row, raw []byte) {
	var as *Reject
	if len(p.file.fixes[line]) > 0 {
		as = &Reject{File: p.file.name, Line: int(line), Row: clipRow(raw, maxRowKept), Digest: rowDigest(raw)}
	}
	p.settle(out, line, row, as)
}

// settle takes a row, or a correction of it, or rejects it. bad is nil if the
// row is good and has none; without a code it is good and may have one.
func (p *premisesParser) settle(out *parsed, line uint32, row index.Row, bad *Reject) {
	if bad != nil {
		if fix := p.file.fixes.choose(line, bad, out); fix != nil {
			var f *cellFault
			row, f = p.reread(fix)
			bad = fix.settle(bad, f, out)
		}
	}
	if bad != nil && bad.Code != "" {
		out.rejects = append(out.rejects, *bad)
		return
	}
	p.take(out, line, &row)
}

// take takes the row that was read last.
func (p *premisesParser) take(out *parsed, line uint32, row *index.Row) {
	row.File, row.Line = p.file.number, line
	p.rows = append(p.rows, *row)
	if p.marked { // it has no claim to be counted
		out.marks++
		return
	}
	p.counts.add(row, p.empty, p.locate)
}

// reread reads a row as it was corrected.
func (p *premisesParser) reread(fix *correction) (index.Row, *cellFault) {
	text := append(bytes.Clone(fix.row), '\n')
	n, _, err := p.lex.next(text)
	switch raw := trimEnd(text[:n]); {
	case len(text) > maxRecord:
		return index.Row{}, fault("", CodeLineLength, "a row of over %d bytes", maxRecord)
	case err == nil && n < len(text):
		return index.Row{}, fault("", CodeFieldCount, "more than one row")
	default:
		return p.row(raw, err)
	}
}

// row reads the lexer's record. err is the lexer's.
func (p *premisesParser) row(raw []byte, err error) (r index.Row, f *cellFault) {
	if err != nil {
		return r, fault("", CodeQuotes, "%v", err)
	}
	if n, want := len(p.lex.fields), len(p.file.names); n != want {
		return r, fault("", CodeFieldCount, "%d fields, the header has %d", n, want)
	}
	if !p.lex.plain && !isPlain(raw) {
		for i, cell := range p.lex.fields {
			if code, what := textFault(cell, mayBreak(p.file.names[i])); code != "" {
				return r, fault(p.file.names[i], code, "%s", what)
			}
		}
	}
	p.empty = 0
	if cell := p.cell(colUPRN); len(cell) == 0 {
		p.empty |= 1 << colUPRN
	} else {
		if r.UPRN, err = geo.ParseUPRN(cell); err != nil {
			return r, fault(colUPRN.String(), CodeUPRN, "%v", err)
		}
	}
	if cell := p.cell(colPostcode); len(cell) == 0 {
		p.empty |= 1 << colPostcode
	} else {
		if r.Postcode, err = geo.ParsePostcode(cell); err != nil {
			return r, postcodeFault(colPostcode.String(), cell, err)
		}
	}
	if cell := p.cell(colAddress); len(cell) == 0 {
		p.empty |= 1 << colAddress
	} else {
		if r.Address, f = p.address(cell); f != nil {
			return r, f
		}
	}
	if r.At, f = p.location(); f != nil {
		return r, f
	}
	if p.marked, f = p.mark(); f != nil {
		return r, f
	}
	if p.marked {
		r.Claim = p.sink.Claim(index.Claim{CSP: p.claims.csp, AsOf: p.claims.asOf})
	} else if r.Claim, f = p.claimOf(raw); f != nil {
		return r, f
	}
	if r.UPRN == 0 && !r.At.IsValid() && !(r.Postcode.IsValid() && r.Address != 0) {
		return r, fault(colUPRN.String(), CodeNoIdentity, "nothing to tell the premises by: give a UPRN, or a postcode and an address identifier, or coordinates")
	}
	return r, nil
}

// cell returns a cell in our spelling, without space around it.
func (p *premisesParser) cell(c column) []byte {
	i := p.file.fields[c]
	if i < 0 {
		return nil
	}
	return p.claims.mapped(c, p.lex.fields[i])
}

// postcodeFault tells why a postcode is none, and what it may have been.
func postcodeFault(column string, cell []byte, err error) *cellFault {
	if errors.Is(err, geo.ErrOutOfArea) {
		return fault(column, CodeOutOfArea, "%v", err)
	}
	var texts []string
	for _, s := range geo.SuggestPostcode(cell) {
		if s.What == "postcode" && len(texts) < 3 {
			texts = append(texts, s.Text)
		}
	}
	if len(texts) == 0 {
		return fault(column, CodePostcode, "%v", err)
	}
	return fault(column, CodePostcode, "%v; did you mean %s?", err, strings.Join(texts, " or "))
}

func (p *premisesParser) address(cell []byte) (index.AddressID, *cellFault) {
	slot, found := p.addresses.find(cell)
	if found {
		return index.AddressID(slot.id), nil
	}
	if len(cell) > maxLength[colAddress] {
		if err := checkLength(colAddress, string(cell)); err != nil {
			return 0, fault(colAddress.String(), CodeTooLong, "%v", err)
		}
	}
	id := p.sink.Address(cell)
	if slot != nil {
		slot.set(cell, uint32(id))
	}
	return id, nil
}

// claimOf is claim, and notes which of its columns are empty.
func (p *premisesParser) claimOf(raw []byte) (index.ClaimID, *cellFault) {
	c, f := p.claim(raw)
	p.empty |= c.empty
	return c.id, f
}

// mark reads whether the row claims nothing and marks its premises as one that
// rows contradicted each other about.
func (p *premisesParser) mark() (marked bool, f *cellFault) {
	cell := p.cell(colConflict)
	if len(cell) == 0 {
		return false, nil
	}
	switch v, err := parseAvailability(cell); {
	case err != nil:
		return false, fault(colConflict.String(), CodeAvailability, "neither true nor false: %q", clip(cell))
	case v == index.AvailabilityFalse:
		return false, nil
	}
	for c := firstClaim; c < numColumns; c++ {
		if len(p.cell(c)) > 0 {
			return false, fault(c.String(), CodeConflictMark, "a row with %v claims nothing: give the claim a row of its own", colConflict)
		}
	}
	return true, nil
}

// claim reads the cells of the claim, or remembers having read just these.
func (p *premisesParser) claim(raw []byte) (readClaim, *cellFault) {
	key := p.claimKey(raw)
	if key == nil {
		for c := firstClaim; c < numColumns; c++ {
			if k := p.file.fields[c]; k >= 0 {
				p.scratch = append(p.scratch, p.lex.fields[k]...)
			}
			p.scratch = append(p.scratch, 0) // a control character: no cell holds one
		}
		key, p.scratch = p.scratch, p.scratch[:0]
	}
	if len(p.key) > 0 && bytes.Equal(key, p.key) {
		return p.claimed, nil
	}
	read, ok := p.claimIDs[string(key)]
	if !ok {
		var cells [numClaimColumns][]byte
		for i := range cells {
			if k := p.file.fields[firstClaim+column(i)]; k >= 0 {
				cells[i] = p.lex.fields[k]
			}
		}
		c, f := p.claims.claim(&cells)
		if f != nil {
			return readClaim{}, f
		}
		if len(p.claimIDs) >= maxRemembered {
			clear(p.claimIDs)
		}
		read = readClaim{p.sink.Claim(c), emptyCells(&c)}
		p.claimIDs[string(key)] = read
	}
	p.key, p.claimed = append(p.key[:0], key...), read
	return read, nil
}

// claimKey returns the text of the claim's cells as it stands in the row, commas
// and quotes included; nil where they do not stand together, or not in the row.
func (p *premisesParser) claimKey(raw []byte) []byte {
	first, last := p.file.claimFirst, p.file.claimLast
	if first < 0 || p.lex.copied {
		return nil
	}
	from, to := p.lex.fields[first], p.lex.fields[last]
	start := cap(raw) - cap(from) // fields of one row have its end in common
	if start > 0 && raw[start-1] == '"' {
		start-- // without it a quote further on could close the cell, or open another
	}
	return raw[start : cap(raw)-cap(to)+len(to)]
}

// maxDisagreement is how far apart, in metres, latitude/longitude and
// easting/northing of one row may be: the plain Helmert transformation that
// some use is wrong by up to 4.94 m.
const maxDisagreement = 5

// location reads the coordinates, whichever are given.
func (p *premisesParser) location() (geo.Location, *cellFault) {
	at, degrees, f := p.pair(colLat, colLng, latLng)
	if f != nil {
		return geo.Location{}, f
	}
	if !degrees {
		p.empty |= degreeColumns
	}
	grid, metres, f := p.pair(colEasting, colNorthing, eastingNorthing)
	if !metres {
		p.empty |= metreColumns
	}
	switch {
	case f != nil:
		return geo.Location{}, f
	case !degrees && !metres:
		return geo.Location{}, nil
	case !degrees:
		at = grid
	case metres:
		if d := geo.Distance(at, grid); d > maxDisagreement {
			return geo.Location{}, fault(colEasting.String(), CodeDisagree,
				"easting and northing are %.0f m from latitude and longitude: give one pair, or both within %d m", d, maxDisagreement)
		}
	}
	l := at.Location()
	if p.sink.Locate(l.LatLng()).Region == geo.NoRegion {
		col := colLat
		if !degrees {
			col = colEasting
		}
		return geo.Location{}, fault(col.String(), CodeOutside, "%.6f, %.6f is over %d m off Great Britain", at.Lat, at.Lng, index.MaxOffshore)
	}
	return l, nil
}

// pair reads two coordinates that go together.
func (p *premisesParser) pair(first, second column, read func(a, b []byte) (geo.LatLng, *cellFault)) (at geo.LatLng, ok bool, f *cellFault) {
	a, b := p.cell(first), p.cell(second)
	switch {
	case len(a) == 0 && len(b) == 0:
		return at, false, nil
	case len(a) == 0:
		return at, false, fault(first.String(), CodeHalfPair, "%v without %v", second, first)
	case len(b) == 0:
		return at, false, fault(second.String(), CodeHalfPair, "%v without %v", first, second)
	}
	at, f = read(a, b)
	return at, f == nil, f
}

// latLng reads degrees.
func latLng(lat, lng []byte) (p geo.LatLng, f *cellFault) {
	var err error
	if p.Lat, err = geo.ParseDegrees(lat); err != nil {
		return p, fault(colLat.String(), CodeCoordinate, "%v", err)
	}
	if p.Lng, err = geo.ParseDegrees(lng); err != nil {
		return p, fault(colLng.String(), CodeCoordinate, "%v", err)
	}
	switch {
	case p.InExtent():
		return p, nil
	case p.Swapped():
		return p, fault(colLat.String(), CodeSwapped, "latitude %s, longitude %s are exchanged", lat, lng)
	case !(p.Lat >= geo.MinLat && p.Lat <= geo.MaxLat):
		return p, fault(colLat.String(), CodeOutside, "latitude %s is not in Great Britain, which lies from %v to %v", lat, geo.MinLat, geo.MaxLat)
	}
	return p, fault(colLng.String(), CodeOutside, "longitude %s is not in Great Britain, which lies from %v to %v", lng, geo.MinLng, geo.MaxLng)
}

// The extent of the National Grid, in metres.
const maxEasting, maxNorthing = 700_000, 1_300_000

// eastingNorthing reads metres of the National Grid.
func eastingNorthing(easting, northing []byte) (p geo.LatLng, f *cellFault) {
	var g geo.Grid
	var err error
	if g.E, err = geo.ParseMetres(easting); err != nil {
		return p, fault(colEasting.String(), CodeCoordinate, "%v", err)
	}
	if g.N, err = geo.ParseMetres(northing); err != nil {
		return p, fault(colNorthing.String(), CodeCoordinate, "%v", err)
	}
	switch {
	case g.E > maxEasting && g.E <= maxNorthing && g.N >= 0 && g.N <= maxEasting:
		return p, fault(colEasting.String(), CodeSwapped, "easting %s, northing %s are exchanged", easting, northing)
	case !(g.E >= 0 && g.E <= maxEasting):
		return p, fault(colEasting.String(), CodeOutside, "easting %s is not on the National Grid, which lies from 0 to %d", easting, maxEasting)
	case !(g.N >= 0 && g.N <= maxNorthing):
		return p, fault(colNorthing.String(), CodeOutside, "northing %s is not on the National Grid, which lies from 0 to %d", northing, maxNorthing)
	}
	p, ok := g.LatLng()
	if !ok {
		return p, fault(colEasting.String(), CodeOutside, "easting %s, northing %s is not on the National Grid's land", easting, northing)
	}
	return p, nil
}

// bindFile reads the header of a file of an extract.
func bindFile(s *splitter, number uint32, e *Extract, fixes fixes) (*csvFile, []string, error) {
	header, err := s.header()
	if err != nil {
		return nil, nil, err
	}
	b, warnings, err := bind(header, e.Columns)
	if err != nil {
		return nil, nil, &FileError{File: s.name, Line: 1, Msg: fmt.Sprintf("header: %v", err)}
	}
	return &csvFile{name: s.name, number: number, fixes: fixes, binding: b}, warnings, nil
}

// trimSpace drops spaces, and nothing else, around a cell.
func trimSpace(cell []byte) []byte {
	if n := len(cell); n == 0 || cell[0] != ' ' && cell[n-1] != ' ' {
		return cell
	}
	return bytes.Trim(cell, " ")
}
