package index

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"coverd/geo"
)

var (
	historyNights   = flag.Int("history.nights", 12, "nights that TestHistoryOfManyNights builds one on the other")
	historyPremises = flag.Int("history.premises", 4000, "premises that it begins with")
)

// many is a country of premises that changes from night to night at the rate of
// the real one: of 30 million, 15,000 in their claims and 2,000 that are new;
// and fewer that go, come back, or go to another postcode.
type manyNights struct {
	land      [3]geo.MultiPolygon
	rng       *rand.Rand
	day       Day
	postcodes []Entry
	premises  []manyPremises
	gone      []manyPremises
	claims    []Claim // without as-of
	likelier  []int   // by claim: the same with another likelihood
	usual     [][2]int
	areas     []Area
	next      geo.UPRN
}

type manyPremises struct {
	uprn     geo.UPRN
	postcode int
	at       geo.Location
	address  int
	claims   [2]int
}

// tracked tells the premises whose every night is logged.
func (p *manyPremises) tracked() bool { return p.uprn%40 == 0 }

func newManyNights(seed uint64, n int) *manyNights {
	m := &manyNights{rng: rand.New(rand.NewPCG(seed, 7)), day: worldDay, next: 990_000_000_000}
	m.land = testLand(m.rng)
	for i := range n/17 + 1 {
		p, _ := geo.PostcodeFromOrdinal(uint32(i*4000/150*7) % uint32(geo.Postcodes))
		if slices.ContainsFunc(m.postcodes[max(0, len(m.postcodes)-3):], func(e Entry) bool { return e.Postcode == p }) {
			continue
		}
		m.postcodes = append(m.postcodes, Entry{Postcode: p, At: geo.LatLng{Lat: 52.01 + m.rng.Float64()*0.98, Lng: -1.97 + m.rng.Float64()*1.4}.Location()})
	}
	for _, c := range testClaims() {
		c.AsOf = 0
		for k := range Likelihood(4) {
			for d := range Day(14) {
				if c.Likelihood = k; c.Anticipated != 0 {
					c.Anticipated = worldDay - 60 + 37*d
				}
				for _, v := range []string{"", " + aerial"} {
					e := c
					e.Variant += v
					m.claims = append(m.claims, e)
				}
			}
		}
	}
	slices.SortFunc(m.claims, func(a, b Claim) int { return a.Compare(&b) })
	m.claims = slices.Compact(m.claims)
	m.rng.Shuffle(len(m.claims), func(i, k int) { m.claims[i], m.claims[k] = m.claims[k], m.claims[i] })
	numbers := map[Claim]int{}
	for i, c := range m.claims {
		numbers[c] = i
	}
	for _, c := range m.claims {
		c.Likelihood = (c.Likelihood + 1) % 4
		m.likelier = append(m.likelier, numbers[c])
	}
	for i := range 20 {
		c := m.postcodes[m.rng.IntN(len(m.postcodes))].At.LatLng()
		claim := m.claims[m.rng.IntN(len(m.claims))]
		r := 0.004 + 0.001*float64(i%5)
		m.areas = append(m.areas, Area{claim, geo.MultiPolygon{{{{Lat: c.Lat - r, Lng: c.Lng - r}, {Lat: c.Lat - r, Lng: c.Lng + r}, {Lat: c.Lat + r, Lng: c.Lng + r}, {Lat: c.Lat + r, Lng: c.Lng - r}, {Lat: c.Lat - r, Lng: c.Lng - r}}}}})
	}
	for range n {
		m.add()
	}
	return m
}

// claim draws a claim: few are frequent, and few are plans.
func (m *manyNights) claim() int {
	n := len(m.claims)
	for {
		i := min(m.rng.IntN(n), m.rng.IntN(n), m.rng.IntN(n), m.rng.IntN(n))
		if m.claims[i].Anticipated == 0 || m.rng.IntN(300) == 0 {
			return i
		}
	}
}

// claimsAt draws those of a premises: most are the usual ones of where it is.
func (m *manyNights) claimsAt(postcode int) [2]int {
	const postcodes = 15 // that have the usual ones in common
	for len(m.usual) <= postcode/postcodes {
		m.usual = append(m.usual, [2]int{m.claim(), m.claim()})
	}
	c := m.usual[postcode/postcodes]
	switch m.rng.IntN(12) {
	case 0:
		c[m.rng.IntN(2)] = m.claim()
	case 1, 2:
		k := m.rng.IntN(2)
		c[k] = m.likelier[c[k]]
	}
	return c
}

// change is what a night makes of a claim: nearly always another likelihood.
func (m *manyNights) change(c int) int {
	if m.rng.IntN(10) == 0 {
		return m.claim()
	}
	return m.likelier[c]
}

func (m *manyNights) add() {
	k := min(int(m.next-990_000_000_000)/17, len(m.postcodes)-1)
	if m.next > 990_000_000_000+geo.UPRN(17*len(m.postcodes)) {
		k = m.rng.IntN(len(m.postcodes))
	}
	at := m.postcodes[k].At
	at.Lat += int32(m.rng.IntN(800) - 400)
	at.Lng += int32(m.rng.IntN(800) - 400)
	m.premises = append(m.premises, manyPremises{m.next, k, at, m.rng.IntN(200), m.claimsAt(k)})
	m.next++
}

// some calls f so many times a night as there are of 30 million premises.
func (m *manyNights) some(n float64, f func()) {
	n *= float64(len(m.premises)) / 30e6
	for ; n > 0; n-- {
		if m.rng.Float64() < n {
			f()
		}
	}
}

func (m *manyNights) night() {
	m.day += []Day{1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2}[m.rng.IntN(11)]
	one := func() int { return m.rng.IntN(len(m.premises)) }
	m.some(15_000, func() {
		c := &m.premises[one()].claims[m.rng.IntN(2)]
		*c = m.change(*c)
	})
	m.some(2_000, m.add)
	m.some(1_500, func() { m.premises[one()].postcode = m.rng.IntN(len(m.postcodes)) })
	m.some(1_000, func() {
		i, last := one(), len(m.premises)-1
		m.gone = append(m.gone, m.premises[i])
		m.premises[i] = m.premises[last]
		m.premises = m.premises[:last]
	})
	m.some(300, func() {
		if last := len(m.gone) - 1; last >= 0 {
			i := m.rng.IntN(last + 1)
			m.premises = append(m.premises, m.gone[i])
			m.gone[i] = m.gone[last]
			m.gone = m.gone[:last]
		}
	})
	if m.rng.IntN(60) == 0 {
		m.areas[m.rng.IntN(len(m.areas))].Claim = m.claims[m.rng.IntN(len(m.claims))]
	}
}

func (m *manyNights) open(t *testing.T, previous *Snapshot) *Snapshot {
	t.Helper()
	b, err := NewBuilder(m.land, Options{AsOf: m.day, CSPs: []string{"Arqiva", "Telefonica", "Vodafone", "DCC"}, Tool: "test", Previous: previous})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range m.postcodes {
		b.AddPostcode(e)
	}
	for _, a := range m.areas {
		a.Claim.AsOf = m.day
		if err := b.AddArea(a); err != nil {
			t.Fatal(err)
		}
	}
	ids := make([]ClaimID, len(m.claims))
	for i, c := range m.claims {
		c.AsOf = m.day
		ids[i] = b.Claim(c)
	}
	var addresses []AddressID
	for i := range 200 {
		addresses = append(addresses, b.Address(fmt.Append(nil, i+1)))
	}
	rows := make([]Row, 0, 2*len(m.premises))
	for i := range m.premises {
		p := &m.premises[i]
		for k, c := range p.claims {
			if k == 1 && m.claims[c].Network == m.claims[p.claims[0]].Network {
				continue // not both of one network
			}
			rows = append(rows, Row{UPRN: p.uprn, Postcode: m.postcodes[p.postcode].Postcode, At: p.at, Address: addresses[p.address], Claim: ids[c], Line: uint32(len(rows) + 1)})
		}
	}
	b.Add(rows)
	built, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := built.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	s, err := OpenBytes(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// nightLog is what every snapshot said of the tracked premises.
type nightLog struct {
	days  []Day
	texts map[string]int
	said  []map[geo.UPRN]int // by night; what is not there is missing
	ons   []Day
	ever  map[geo.UPRN]bool
}

func (l *nightLog) text(s string) int {
	n, ok := l.texts[s]
	if !ok {
		n = len(l.texts)
		l.texts[s] = n
	}
	return n
}

func (l *nightLog) add(m *manyNights, s *Snapshot) {
	night := map[geo.UPRN]int{}
	for i := range m.premises {
		if u := m.premises[i].uprn; m.premises[i].tracked() {
			p, _ := s.UPRN(u)
			night[u] = l.text(said(true, p.Conflict(), p.Claims(), l.ons))
			l.ever[u] = true
		}
	}
	l.days, l.said = append(l.days, m.day), append(l.said, night)
}

// check compares what a snapshot tells with the log.
func (l *nightLog) check(t *testing.T, s *Snapshot, step int) (asked int) {
	t.Helper()
	for u := range l.ever {
		var who teller
		if p, ok := s.UPRN(u); ok {
			who = p
		} else if d, ok := s.Departed(u); ok {
			who = d
		}
		for i := len(l.days) - 1; i >= 0; i -= step {
			if i+1 < len(l.days) && l.days[i+1] == l.days[i] || l.days[i] < s.HistoryFrom() {
				continue
			}
			want, there := l.said[i][u]
			if who == nil {
				if there {
					t.Fatalf("UPRN %v is not found, and was there on %v", u, l.days[i])
				}
				continue
			}
			got, ok := who.Known(l.days[i])
			if !ok || got.Present != there || there && l.text(said(true, got.Conflict, got.Claims, l.ons)) != want {
				t.Fatalf("UPRN %v on %v: %t, %+v", u, l.days[i], ok, got)
			}
			asked++
		}
	}
	return asked
}

// TestHistoryOfManyNights builds night on night, and holds what the snapshots
// tell against a log of what each said. Set the flags for a year of a country:
//
//	go test ./index -run ManyNights -v -timeout 2h -history.nights 400 -history.premises 300000
func TestHistoryOfManyNights(t *testing.T) {
	n, premises := *historyNights, *historyPremises
	if underRace {
		n, premises = min(n, 6), min(premises, 1000)
	}
	m := newManyNights(1, premises)
	l := &nightLog{texts: map[string]int{}, ons: []Day{worldDay - 40, worldDay + 100, worldDay + 500}, ever: map[geo.UPRN]bool{}}
	s := m.open(t, nil)
	l.add(m, s)
	begin := time.Now()
	for k := 1; k <= n; k++ {
		m.night()
		s = m.open(t, s)
		l.add(m, s)
		if k%10 == 0 || k == n {
			step := 7
			if k == n {
				step = 1
			}
			asked := l.check(t, s, step)
			t.Logf("night %d (%v): history from %v, %d answers as logged, %d gone, %s", k, m.day, s.HistoryFrom(), asked, s.DepartedLen(), historySize(s))
		}
	}
	t.Logf("%d nights of %d premises in %v", n, len(m.premises), time.Since(begin).Round(time.Second))
}

// historySize tells what a history takes.
func historySize(s *Snapshot) string {
	var hist, log, rest int64
	var parts []string
	for _, i := range s.info.Sections {
		switch kind, _, _ := strings.Cut(i.Name, "."); kind {
		case "hist":
			hist += i.Stored
			parts = append(parts, fmt.Sprintf("%s %d", i.Name, i.Stored))
		case "change":
			log += i.Stored
		default:
			rest += i.Stored
		}
	}
	events := 0
	for row := range s.past.rows {
		for c := s.past.chain(row); ; events++ {
			if _, _, ok := c.next(); !ok {
				break
			}
		}
	}
	return fmt.Sprintf("%d events, %.2f bytes each; history %.2f %%, journal %.2f %% of %d (%s), %d aspects",
		events, float64(hist)/float64(max(events, 1)), 100*float64(hist)/float64(rest), 100*float64(log)/float64(rest), rest, strings.Join(parts, ", "), s.past.past.ClaimSets()-1)
}

var historySnapshots = flag.String("history.snapshots", "", "files, oldest first and with commas between, each built on the one before: the last is held against the others")

// TestHistoryOfSnapshots compares what the last of the snapshots of -history.snapshots
// tells with what the others say: of all premises that have a past, and some others.
func TestHistoryOfSnapshots(t *testing.T) {
	if *historySnapshots == "" {
		t.Skip("no -history.snapshots")
	}
	paths := strings.Split(*historySnapshots, ",")
	last, err := Open(paths[len(paths)-1])
	if err != nil {
		t.Fatal(err)
	}
	t.Log(historySize(last))
	for _, path := range paths {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		day := s.Info().AsOf
		ons := []Day{day - 30, day, day + 40, day + 400}
		past, others, absent := 0, 0, 0
		for p := range last.AllPremises() {
			has := last.past.has(p.row)
			if u := p.UPRN(); u != 0 && (has || p.row%97 == 0) {
				want := said(false, false, ClaimSet{}, ons)
				q, there := s.UPRN(u)
				if there {
					want = said(true, q.Conflict(), q.Claims(), ons)
				} else {
					absent++
				}
				i, ok := p.Known(day)
				if got := said(i.Present, i.Conflict, i.Claims, ons); !ok || got != want {
					t.Fatalf("UPRN %v on %v: %t, want\n%s\ngot\n%s", u, day, ok, want, got)
				}
				if has {
					past++
				} else {
					others++
				}
			}
		}
		gone := 0
		for p := range s.AllPremises() {
			if u := p.UPRN(); u != 0 {
				if _, ok := last.UPRN(u); !ok {
					d, ok := last.Departed(u)
					i, _ := d.Known(day)
					if !ok || said(i.Present, i.Conflict, i.Claims, ons) != said(true, p.Conflict(), p.Claims(), ons) {
						t.Fatalf("UPRN %v, which is gone, on %v: %t", u, day, ok)
					}
					gone++
				}
			}
		}
		t.Logf("%v: %d premises with a past and %d others are as they were, %d of them not there, and %d that are gone", day, past, others, absent, gone)
	}
}
