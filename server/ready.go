package server

import (
	"bytes"
	"math"
	"slices"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// ready has what answers say of a claim set ready-made: the JSON of a premises
// from its fit on. That depends on the day, but only by the claims' own dates:
// of each set there is one text a spell, the days from one of these dates to
// the next.
//
// # Why
//
// Most of a postcode's answer is what its premises' claims say, and claim sets
// are few: of 30 million premises there are 12,000, with 20,000 spells, whose
// texts have 16 MB (half a byte a premises) and are made in 45 ms, once a
// snapshot. An answer of 14 KB about 17 premises, which took 8.8 µs field by
// field, takes 4.3 µs with them.
//
// Texts lie one behind the other in memory without pointers, so that the
// collector has nothing to walk.
//
// The texts of today alone would have to be made again at midnight, and would
// leave other days slow.
type ready struct {
	text   []byte
	first  []uint32 // of each set by its code: its first spell; one more at the end
	spells []spell  // by set, then day; one more at the end
	kinds  []kind
	states [len(geo.Regions) + 1][basesOfRegions][len(index.States) + 1]stateTexts
}

// kind is a kind of premises: what says all of it but which it is and where.
type kind struct {
	set             uint32 // the code of its claim set
	region          geo.Region
	basis           index.Basis
	conflict, ready bool
}

// spell is a stretch of days over which a claim set's text stays the same, up
// to the next spell of the set.
type spell struct {
	from  index.Day
	text  uint32 // where its text starts; it goes up to the next spell's
	state index.State
}

// stateTexts are the JSON of a premises between its location and its claims,
// without and with a conflict.
type stateTexts [2]string

const basesOfRegions = int(index.BasisPremises) + 1

// readyLeast and readyShare bound the memory of texts, in bytes and in bytes a
// premises. For claim sets beyond, texts are made when they are asked for: a
// snapshot whose claims are all different must not take many times its size.
const (
	readyLeast = 8 << 20
	readyShare = 2
)

func newReady(snap *index.Snapshot) *ready {
	return newReadyUpTo(snap, min(readyLeast+readyShare*int(snap.Info().Premises), math.MaxUint32/2))
}

// newReadyUpTo makes texts until they have more than most bytes.
func newReadyUpTo(snap *index.Snapshot, most int) *ready {
	r := &ready{first: make([]uint32, 0, snap.ClaimSets()+1)}
	var q scratch
	var days []index.Day
	for code := range snap.ClaimSets() {
		if len(r.text) > most {
			break
		}
		r.makeRoom(code, snap.ClaimSets(), most)
		set := snap.ClaimSet(uint32(code))
		r.first = append(r.first, uint32(len(r.spells)))
		days = appendTurns(append(days[:0], math.MinInt32), set)
		slices.Sort(days)
		last := 0
		for i, day := range slices.Compact(days) {
			q.on = day
			q.fits, q.networks, q.text = q.fits[:0], q.networks[:0], q.text[:0]
			var p api.Premises
			q.claimsOf(&p, set)
			from := len(r.text)
			r.text = p.AppendClaims(r.text)
			if i > 0 && bytes.Equal(r.text[last:from], r.text[from:]) {
				r.text = r.text[:from]
				continue
			}
			last = from
			r.spells = append(r.spells, spell{from: day, text: uint32(from), state: set.State(day)})
		}
	}
	r.first = append(r.first, uint32(len(r.spells)))
	r.spells = append(r.spells, spell{text: uint32(len(r.text))})
	r.text, r.spells = slices.Clone(r.text), slices.Clone(r.spells) // growing left room
	for code := range snap.Kinds() {
		set, a, conflict := snap.Kind(uint32(code))
		r.kinds = append(r.kinds, kind{set.Code(), a.Region, a.Basis, conflict, int(set.Code())+1 < len(r.first)})
	}
	r.makeStates()
	return r
}

// makeRoom makes room for texts of all claim sets by what those done so far have
// taken. To grow step by step, as append does, would leave five times as much
// garbage as there is text, while two snapshots are in memory.
func (r *ready) makeRoom(done, sets, most int) {
	const step = 256 << 10
	if cap(r.text)-len(r.text) < step/4 {
		rest := len(r.text) / max(done, 1) * (sets - done)
		r.text = slices.Grow(r.text, step+min(rest, max(most-len(r.text), 0)))
	}
}

func (r *ready) makeStates() {
	for region := range r.states {
		for basis := range r.states[region] {
			for _, state := range index.States {
				p := api.Premises{
					Region: api.Text(geo.Region(region).String()), RegionBasis: api.Text(index.Basis(basis).String()), State: state.String(),
				}
				t := &r.states[region][basis][state]
				t[0] = string(p.AppendState(nil))
				p.Conflict = true
				t[1] = string(p.AppendState(nil))
			}
		}
	}
}

// appendTurns appends the days from which on one of a set's claims may say
// something else.
func appendTurns(days []index.Day, set index.ClaimSet) []index.Day {
	for i := range set.Len() {
		c, _ := set.At(i)
		if c.End != 0 {
			days = append(days, c.End+1)
		}
		if c.Anticipated != 0 {
			days = append(days, c.Anticipated)
		}
	}
	return days
}

// find finds a kind by its number, and the spell of its claims on a day; ok is
// false where there is none ready.
func (r *ready) find(code uint32, on index.Day) (k *kind, spell uint32, ok bool) {
	if int(code) >= len(r.kinds) || !r.kinds[code].ready {
		return nil, 0, false
	}
	k = &r.kinds[code]
	spell = r.first[k.set+1] - 1
	for r.spells[spell].from > on {
		spell--
	}
	return k, spell, true
}

// appendPremises appends the JSON of a premises, without its braces, of a kind
// and in a spell of its claims.
func (r *ready) appendPremises(b []byte, d *index.Details, k *kind, spell uint32) []byte {
	b = api.AppendLocated(b, d.UPRN, view(d.Address), d.At)
	texts := &r.states[k.region][k.basis][r.spells[spell].state]
	if k.conflict {
		b = append(b, texts[1]...)
	} else {
		b = append(b, texts[0]...)
	}
	return append(b, r.text[r.spells[spell].text:r.spells[spell+1].text]...)
}

// state is that of a premises on a day.
func (r *ready) state(p index.Premises, on index.Day) index.State {
	if _, spell, ok := r.find(p.Kind(), on); ok {
		return r.spells[spell].state
	}
	return p.State(on)
}

// summary counts a postcode's premises by state on a day.
func (r *ready) summary(u index.Unit, on index.Day) (sum index.Summary) {
	for i := range u.Len() {
		sum.Add(r.state(u.Premises(i), on), 1)
	}
	return sum
}
