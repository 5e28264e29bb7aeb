package loader

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"coverd/geo"
	"coverd/index"
)

// exportRows is how many premises a worker writes at a time.
const exportRows = 1 << 14

// premises writes all premises extracts at once, in one walk.
func (e *exporter) premises() error {
	var files []*exportExtract
	var names []string
	of := map[claimant]int{}
	for _, x := range e.plan {
		if x.kind == KindPremises {
			of[claimant{x.csp, x.asOf}] = len(files)
			files = append(files, x)
			names = append(names, x.file.Path)
		}
	}
	switch {
	case len(files) > 0:
	case e.s.Info().Premises > 0:
		return errors.New("there are premises, and no premises extract among the sources: no manifest can say so")
	default:
		return nil
	}
	header := []string{"uprn", "postcode", "address_identifier", "latitude", "longitude"}
	if e.marks {
		header = append(header, colConflict.String())
	}
	header = append(header, columnNames[firstClaim:]...)
	heads := make([]string, len(files))
	for i := range heads {
		heads[i] = strings.Join(header, ",") + "\n"
	}
	writers := make([]*premisesWriter, e.o.Workers)
	for i := range writers {
		writers[i] = &premisesWriter{s: e.s, of: of, marks: e.marks}
	}
	done, rows, err := e.write("premises", names, heads, int(e.s.Info().Premises), exportRows,
		func(w, from, to int, texts [][]byte, rows []int64) error {
			writers[w].texts, writers[w].rows = texts, rows
			for row := from; row < to; row++ {
				if err := writers[w].premises(e.s.PremisesAt(uint32(row))); err != nil {
					return err
				}
			}
			return nil
		})
	if err != nil {
		return err
	}
	for i, x := range files {
		x.file, x.rows = done[i], rows[i]
	}
	return nil
}

// premisesWriter writes rows of premises extracts.
type premisesWriter struct {
	s     *index.Snapshot
	of    map[claimant]int // number of the file
	marks bool
	kinds memo[[]exportClaim]
	texts [][]byte // by file
	rows  []int64

	near []index.Neighbour
}

// exportClaim is the end of a row, from behind the location on, and the file it
// is of.
type exportClaim struct {
	file int
	text []byte
}

func (w *premisesWriter) premises(p index.Premises) error {
	d := p.Details()
	claims := *w.kinds.of(uint64(d.Kind), func(c *[]exportClaim) { *c = w.claims((*c)[:0], d.Kind) })
	if len(claims) == 0 {
		return fmt.Errorf("premises %d has no claim of its own, and is not in conflict: no extract can say so", p.Row())
	}
	postcode := p.Postcode()
	if postcode.IsValid() && len(d.Address) > 0 && d.UPRN == 0 && w.apart(p, &d) {
		for i := range claims {
			w.row(&claims[i], &d, postcode, nil)
		}
		w.row(&claims[0], &d, geo.Postcode{}, d.Address)
		return nil
	}
	for i := range claims {
		w.row(&claims[i], &d, postcode, d.Address)
	}
	return nil
}

func (w *premisesWriter) row(c *exportClaim, d *index.Details, postcode geo.Postcode, address []byte) {
	b := w.texts[c.file]
	if d.UPRN != 0 {
		b = d.UPRN.AppendTo(b)
	}
	b = append(b, ',')
	if postcode.IsValid() {
		b = postcode.AppendTo(b)
	}
	b = appendCell(append(b, ','), address)
	b = appendLocation(append(b, ','), d.At)
	w.texts[c.file] = append(b, c.text...)
	w.rows[c.file]++
}

// claims are the ends of the rows of premises of a kind: its own claims, and
// the mark.
func (w *premisesWriter) claims(dst []exportClaim, kind uint32) []exportClaim {
	set, _, conflict := w.s.Kind(kind)
	add := func(file int) *[]byte {
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
		} else {
			dst = append(dst, exportClaim{})
		}
		c := &dst[len(dst)-1]
		c.file, c.text = file, append(c.text[:0], ',')
		return &c.text
	}
	for i := range set.Len() {
		c, lent := set.At(i)
		if lent {
			continue
		}
		b := add(w.of[claimantOf(c)])
		if w.marks {
			*b = append(*b, ',')
		}
		*b = append(append(*b, c.Network.String()...), ',')
		switch c.Availability {
		case index.AvailabilityTrue:
			*b = append(*b, "true"...)
		case index.AvailabilityFalse:
			*b = append(*b, "false"...)
		default:
		}
		for _, text := range claimTexts(c) {
			*b = appendCell(append(*b, ','), text)
		}
		*b = append(*b, '\n')
	}
	if conflict {
		file := 0 // whose rows they were is not known
		if len(dst) > 0 {
			file = dst[0].file
		}
		b := add(file)
		*b = append(*b, "true"...)
		for range numClaimColumns {
			*b = append(*b, ',')
		}
		*b = append(*b, '\n')
	}
	return dst
}

// appendCell appends a cell of CSV as it is read back.
func appendCell[T ~string | ~[]byte](b []byte, cell T) []byte {
	for i := range len(cell) {
		if c := cell[i]; c == ',' || c == '"' || c == '\n' || c == '\r' {
			return appendQuoted(b, cell)
		}
	}
	return append(b, cell...)
}

func appendQuoted[T ~string | ~[]byte](b []byte, cell T) []byte {
	b = append(b, '"')
	for i := range len(cell) {
		if cell[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, cell[i])
	}
	return append(b, '"')
}

// apart reports whether the postcode and the address of a premises without UPRN
// must be given in rows of their own, because together they would make it
// another premises. That is so of the rare premises that is told by its
// location alone, and has its postcode from one row and its address from
// another, where its postcode has that address for another premises too.
func (w *premisesWriter) apart(p index.Premises, d *index.Details) bool {
	unit, _ := p.Unit()
	fold := "" // worked out when it is needed
	withUPRN := 0
	var alike []index.Premises // without UPRN, itself included
	for i := range unit.Len() {
		q := unit.Premises(i)
		if q.Row() == p.Row() {
			alike = append(alike, q)
			continue
		}
		if len(q.Address()) == 0 {
			continue
		}
		if fold == "" {
			fold = index.FoldAddress(string(d.Address))
		}
		if index.FoldAddress(string(q.Address())) != fold {
			continue
		}
		if q.UPRN() != 0 {
			withUPRN++
		} else {
			alike = append(alike, q)
		}
	}
	if withUPRN == 1 {
		return true // else it would have joined that one
	}
	whole := alike[0]
	for _, q := range alike[1:] {
		if w.needsAddress(q, alike) > w.needsAddress(whole, alike) {
			whole = q
		}
	}
	return whole.Row() != p.Row()
}

// needsAddress ranks premises without UPRN, alike in postcode and address, by how
// much speaks for its being that one of them which is told by these: 3 where it
// has no location to be told by; 2 where another is told by the location that it
// has; 1 where another of them is there.
func (w *premisesWriter) needsAddress(p index.Premises, alike []index.Premises) (rank int) {
	if !p.At().IsValid() {
		return 3
	}
	if len(alike) == 1 {
		return 0
	}
	const here = 0.05 // metres: less than locations are apart
	w.near = w.s.Nearest(w.near[:0], p.At().LatLng(), index.MaxNearest, here)
	for _, n := range w.near {
		switch q := n.Premises; {
		case q.Row() == p.Row() || q.UPRN() != 0 || q.At() != p.At():
		case !q.Postcode().IsValid() || len(q.Address()) == 0:
			return 2
		case slices.Contains(alike, q):
			rank = 1
		}
	}
	return rank
}
