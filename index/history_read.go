package index

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// Limits of a history.
const (
	historyLayout  = 1
	mostPastNights = 1 << 16
	mostPastClaims = 1 << 22 // and aspects
)

// readHistory reads what is remembered of premises, if there is anything that
// this program can read.
func (s *Snapshot) readHistory(r *reader) {
	head, ok := r.raws[sectionPastHead]
	if r.err != nil || !ok {
		return
	}
	if len(head) > 0 && head[0] != historyLayout {
		return // of later, which is no damage
	}
	if r.take(sectionPastHead, len(head), 12); r.err != nil { // nights, texts, aspects, and items, which have a byte each and four in lists that grow
		return
	}
	h := &history{rows: s.premises.n, past: &Snapshot{}}
	h.past.info.Prefer, h.past.info.CountsAsWAN = s.info.Prefer, s.info.CountsAsWAN
	r.check(sectionPastHead, h.parseHead(r, head, s.info.AsOf))
	if r.err != nil {
		return
	}
	h.gone.read(r)
	h.heads, h.bits = r.bytes(sectionPastRows), r.bytes(sectionPastBits)
	if r.err != nil {
		return
	}
	h.rows += h.gone.n
	h.nightWidth, h.codeWidth = widthBelow(len(h.ids)), widthBelow(h.past.ClaimSets())
	if r.check(sectionPastBits, h.checkBlocks(r.workers)); r.err == nil {
		s.past = h
	}
}

// parseHead reads the nights, and what was said.
func (h *history) parseHead(r *reader, head []byte, today Day) error {
	d := decoder{b: head}
	d.uvarint()
	for range d.count(mostPastNights, "nights") {
		if len(d.b) < idBytes {
			d.fail("ID")
			break
		}
		h.ids, d.b = append(h.ids, hex.EncodeToString(d.b[:idBytes])), d.b[idBytes:]
		h.days = append(h.days, d.day())
	}
	if d.err == nil && len(h.ids) == 0 {
		return errors.New("no nights")
	}
	h.days = append(h.days, today)
	for i := range h.days {
		if d.err == nil && (h.days[i] == 0 || i > 0 && h.days[i] <= h.days[i-1]) {
			return fmt.Errorf("night %d is of %v", i, h.days[i])
		}
	}
	n := d.count(min(mostPastClaims, len(head)/minClaim), "claims")
	if err := r.budget.take(n, claimBytes); err != nil {
		return err
	}
	p := h.past
	p.claims = make([]Claim, 0, n)
	counts := make([]bool, 0, n)
	for i := range n {
		c := pastClaim{Claim: d.claim()}
		c.counts = d.byte(2) == 1
		if d.err != nil {
			return d.err
		}
		if i > 0 {
			if last := (pastClaim{p.claims[i-1], counts[i-1]}); last.compare(&c) >= 0 {
				return fmt.Errorf("claim %d does not follow the one before", i)
			}
		}
		p.claims, counts = append(p.claims, c.Claim), append(counts, c.counts)
	}
	p.readFacts()
	for i := range counts {
		p.facts[i].counts = counts[i]
	}
	return h.parseAspects(&d)
}

// parseAspects reads what was said of premises. Each has two bytes at least.
func (h *history) parseAspects(d *decoder) error {
	p := h.past
	n := d.count(min(mostPastClaims, len(d.b)/2), "aspects")
	if d.err == nil && 2*n > len(d.b) { // the count itself took bytes
		d.fail("aspects")
	}
	if d.err != nil {
		return d.err
	}
	h.conflicts = make([]bool, 1, n+1)
	p.setStarts = make([]uint32, 2, n+2)         // set 0 is empty
	p.setItems = make([]uint32, 0, len(d.b)-2*n) // of which each has a byte at least
	for i := range n {
		h.conflicts = append(h.conflicts, d.byte(2) == 1)
		last := int64(-1)
		for range d.count(len(d.b), "claims of an aspect") {
			it := d.below(2*uint64(len(p.claims)), "claim")
			if d.err == nil && int64(it>>1) <= last {
				return fmt.Errorf("claims of aspect %d out of order", i)
			}
			last = int64(it >> 1)
			p.setItems = append(p.setItems, uint32(it))
		}
		if d.err != nil {
			return d.err
		}
		p.setStarts = append(p.setStarts, uint32(len(p.setItems)))
	}
	if d.err == nil && len(d.b) > 0 {
		return fmt.Errorf("%d bytes after the last aspect", len(d.b))
	}
	return d.err
}
