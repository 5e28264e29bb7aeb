package loader

import (
	"fmt"
	"slices"

	"coverd/index"
)

// gone reports whether nothing came of an extract: no file, or no rows in it. A
// file that cannot be read is no such case.
func (r *run) gone(extract int) bool {
	s := r.source(extract)
	return r.m.Extracts[extract].Missing || s.Rows == 0 && !r.refused(s)
}

// missing finds the feeds of which nothing came, and takes the previous
// snapshot's claims where the manifest says so.
func (r *run) missing() error {
	for _, f := range r.feeds {
		var gone []int
		for _, i := range f.parts {
			if r.gone(i) {
				gone = append(gone, i)
			}
		}
		switch {
		case len(gone) == 0:
			r.verdict(gateMissing, f.name(), "", "")
		case len(gone) < len(f.parts):
			f.partial = true
			r.refuseMissing(f, gone, "the others came, and part of a night cannot be carried over")
		case !r.m.Extracts[gone[0]].Carry:
			f.missing = true
			r.refuseMissing(f, gone, `on_missing = "carry" in its [[extract]] would take the previous snapshot's claims instead`)
		default:
			from, why := r.carriedFrom(f)
			if why != "" {
				f.missing = true
				r.refuseMissing(f, gone, why)
				continue
			}
			f.carried = from
			if err := r.carry(f); err != nil {
				return err
			}
			r.verdict(gateMissing, f.name(), "", "")
		}
	}
	return nil
}

// refuseMissing says what did not come.
func (r *run) refuseMissing(f *feed, gone []int, why string) {
	e, what := &r.m.Extracts[gone[0]], "has no rows"
	if e.Missing {
		what = "is not there"
	}
	was := "nothing is known of it from before"
	if f.before != nil {
		was = fmt.Sprintf("%s there were %s rows", r.since(), thousands(f.before.Accepted))
	}
	r.verdict(gateMissing, f.name(), fmt.Sprintf("%s: %s %s; %s; %s", f.name(), e.Pattern, what, was, why), "ls -l "+e.Pattern)
}

// carriedFrom tells which claims can be carried over, or why none can.
func (r *run) carriedFrom(f *feed) (*index.Carried, string) {
	p := r.o.Previous
	if p == nil {
		return nil, "there is no previous snapshot to carry its claims over from"
	}
	from := index.Carried{From: p.ID()}
	switch {
	case f.before != nil && f.before.Carried != nil:
		from = *f.before.Carried
	case f.before != nil:
		for _, b := range f.before.Parts {
			from.AsOf = earlier(from.AsOf, b.AsOf)
		}
	case p.Baselines() == nil: // its sources tell; those of others name too what did not come
		for i := range p.Info().Sources {
			if s := &p.Info().Sources[i]; s.CSP == f.csp && s.Kind == string(f.kind) {
				from.AsOf = earlier(from.AsOf, s.AsOf)
			}
		}
	}
	if from.AsOf == 0 {
		return nil, fmt.Sprintf("the previous snapshot, %s, has no claims of it to carry over", r.after())
	}
	if days, most := int(r.m.AsOf-from.AsOf), r.carryDays(f); days > most {
		return nil, fmt.Sprintf("its last claims, as of %v, are %d days old, and are carried over for at most %d (carry_days): %d more", from.AsOf, days, most, days-most)
	}
	return &from, ""
}

func earlier(a, b index.Day) index.Day {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// carryDays are the least of a feed's extracts.
func (r *run) carryDays(f *feed) int {
	days := r.m.Extracts[f.parts[0]].CarryDays
	for _, i := range f.parts {
		days = min(days, r.m.Extracts[i].CarryDays)
	}
	return days
}

// carry takes a feed's claims from the previous snapshot, with the as-of that
// they have there.
func (r *run) carry(f *feed) error {
	note := fmt.Sprintf("carried from %.12s, as of %v", f.carried.From, f.carried.AsOf)
	for k, i := range f.parts {
		s := r.source(i)
		s.AsOf, s.Sequence, s.Files = f.carried.AsOf, 0, []index.File{}
		if f.before != nil && len(f.before.Parts) == len(f.parts) {
			s.AsOf, s.Sequence = f.before.Parts[k].AsOf, f.before.Parts[k].Sequence
		}
		s.Notes = append(s.Notes, note)
	}
	c := Carried{
		CSP: f.csp, Kind: f.kind, From: f.carried.From, AsOf: f.carried.AsOf,
		Days: int(r.m.AsOf - f.carried.AsOf), Most: r.carryDays(f),
	}
	r.tell("carry", r.source(f.parts[0]).Pattern)
	var err error
	if f.kind == KindAreas {
		c.Claims = r.carryAreas(f)
	} else {
		c.Claims, err = r.carryPremises(f)
	}
	r.carriedOver = append(r.carriedOver, c)
	return err
}

// carryRows is how many rows are handed over at a time.
const carryRows = 4096

// carryPremises adds a row for each claim of a CSP's own. They stand in a file
// of their own, as it were, by their premises: should they contradict each other
// now, that is where.
func (r *run) carryPremises(f *feed) (n int64, err error) {
	source := r.source(f.parts[0])
	number := uint32(len(r.files))
	if number >= index.MaxFiles {
		return 0, &FileError{File: source.Pattern, Msg: "too many files"}
	}
	r.files = append(r.files, sourceFile{name: fmt.Sprintf("(%s of %.12s)", f.name(), r.o.Previous.ID()), source: source})
	mark := r.builder.Claim(index.Claim{CSP: f.csp, AsOf: f.carried.AsOf})
	ids := map[*index.Claim]index.ClaimID{}
	rows := make([]index.Row, 0, carryRows)
	flush := func() {
		r.builder.Add(rows)
		n += int64(len(rows))
		rows = rows[:0]
	}
	for p := range r.o.Previous.AllPremises() {
		if p.Row()%(1<<16) == 0 && r.ctx.Err() != nil {
			return n, r.ctx.Err()
		}
		row := index.Row{UPRN: p.UPRN(), At: p.At(), Postcode: p.Postcode(), File: number, Line: p.Row() + 1}
		claims, own, its := p.Claims(), 0, 0
		for i := range claims.Len() {
			c, lent := claims.At(i)
			if lent {
				continue
			}
			if own++; c.CSP != f.csp {
				continue
			}
			if its++; its == 1 {
				row.Address = r.builder.Address(p.Address())
			}
			id, ok := ids[c]
			if !ok {
				id = r.builder.Claim(*c)
				ids[c] = id
			}
			row.Claim = id
			if rows = append(rows, row); len(rows) >= carryRows {
				flush()
			}
		}
		if p.Conflict() && (its > 0 || own == 0) {
			// Of which CSP the rows were that contradicted each other the snapshot does
			// not tell.
			row.Address, row.Claim = r.builder.Address(p.Address()), mark
			r.builder.Add([]index.Row{row})
		}
	}
	flush()
	return n, nil
}

// carryAreas takes a CSP's areas, in their old order, in place of those of the
// first extract.
func (r *run) carryAreas(f *feed) (n int64) {
	for i := range r.o.Previous.Info().Areas {
		if a := r.o.Previous.Area(int(i)); a.Claim.CSP == f.csp {
			r.areasOf[f.parts[0]] = append(r.areasOf[f.parts[0]], a)
			n++
		}
	}
	return n
}

// addAreas hands over all areas, in the order of the manifest.
func (r *run) addAreas() error {
	for _, list := range r.areasOf {
		for i := range list {
			if err := r.builder.AddArea(list[i]); err != nil {
				return err
			}
		}
	}
	r.areasOf = nil
	return nil
}

// takeArea takes an area of an extract.
func (r *run) takeArea(extract int, a *index.Area) {
	r.areasOf[extract] = append(r.areasOf[extract], *a)
	r.feedOf(extract).counts.add(&index.Row{}, emptyCells(&a.Claim), nil)
}

// feedOf is the feed that an extract is part of.
func (r *run) feedOf(extract int) *feed {
	for _, f := range r.feeds {
		if slices.Contains(f.parts, extract) {
			return f
		}
	}
	panic(fmt.Sprintf("extract %d is in no feed", extract))
}

// carriedConflicts warns of carried claims that contradict each other: rows that
// came tonight have made one premises of two.
func (r *run) carriedConflicts(f sourceFile, lines []conflictLine) {
	f.source.Warnings = append(f.source.Warnings, fmt.Sprintf("%s of the carried claims contradict each other and are not taken: tonight's rows have made one premises of two", thousands(int64(len(lines)))))
}
