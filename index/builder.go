package index

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"coverd/geo"
)

// Options say how to build a snapshot.
type Options struct {
	// AsOf is the day the data describes. Required.
	AsOf Day
	// Prefer breaks ties between claims in a fit, best first.
	Prefer []NetworkRegion
	// CountsAsWAN makes virtual-WAN claims count towards a premises' state.
	CountsAsWAN bool
	// CSPs are the CSPs in order of precedence: where rows disagree on a
	// premises' location or address, an earlier one decides. Required for every
	// CSP that has a claim.
	CSPs []string
	// Tool is the name and version of the program that builds.
	Tool string
	// Indicative tells that the Region boundaries are not the DCC's.
	Indicative bool
	// Attributions are notices that must travel with the data.
	Attributions []string
	// Previous is the snapshot before this one, of the same day or an earlier
	// one: a postcode live there and missing from tonight's register was
	// terminated between the two days. Without any register tonight it tells
	// nothing.
	Previous *Snapshot
	// Progress, if set, is told of the stages of Build: what is being done, and
	// how much of it. It is never called concurrently.
	Progress func(stage string, done, total int64)
}

// Builder takes facts in and freezes them into a snapshot. Its methods may be
// called concurrently, up to Build; the order of calls to AddArea and
// AddPostcode matters, that of rows does not. Build of over a million premises
// has the runtime collect garbage, and returns free memory to the system, twice
// in between: a program that does something else besides will notice.
type Builder struct {
	o         Options
	regions   *regions
	locator   *locator
	csps      map[string]int
	sources   []Source
	baselines *Baselines
	overrides []Override

	rows      rowStore
	addresses addressTable
	mu        sync.Mutex // guards what follows
	claims    []Claim
	claimIDs  map[Claim]ClaimID
	areas     []Area
	entries   []Entry
	entryAt   *postcodeTable
}

// NewBuilder starts a snapshot. land[r-1] is the land of Region r.
func NewBuilder(land [3]geo.MultiPolygon, o Options) (*Builder, error) {
	if o.AsOf == 0 {
		return nil, errors.New("a snapshot needs an as-of day")
	}
	if o.Previous != nil && o.Previous.info.AsOf > o.AsOf {
		return nil, fmt.Errorf("the previous snapshot is as of %v, after this one's %v", o.Previous.info.AsOf, o.AsOf)
	}
	for i, l := range land {
		if len(l) == 0 {
			return nil, fmt.Errorf("no land for Region %v", geo.Region(i+1))
		}
	}
	b := &Builder{
		o:        o,
		csps:     map[string]int{},
		claimIDs: map[Claim]ClaimID{},
		entryAt:  newPostcodeTable(),
	}
	for i, c := range o.CSPs {
		if _, ok := b.csps[c]; !ok {
			b.csps[c] = i
		}
	}
	b.addresses.init()
	b.regions = newRegions(geo.NewCover(geo.NewMesh(land[:]), geo.CoverOptions{}))
	b.locator = newLocator(b.regions)
	return b, nil
}

// SetSources records what the snapshot is made from. It may be called until
// Build ends, when the counts are known; Build keeps the slice.
func (b *Builder) SetSources(s []Source) { b.sources = s }

// Locate allocates a Region to a point as [Snapshot.Locate] will. It may be
// called up to Build.
func (b *Builder) Locate(p geo.LatLng) Allocation { return b.locator.locate(p) }

// Claim gives a claim its number. Its CSP must be one of Options.CSPs.
func (b *Builder) Claim(c Claim) ClaimID {
	if _, ok := b.csps[c.CSP]; !ok {
		panic(fmt.Sprintf("index: claim of CSP %q, which is not in Options.CSPs", c.CSP))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id, ok := b.claimIDs[c]
	if !ok {
		id = ClaimID(len(b.claims))
		b.claims = append(b.claims, c)
		b.claimIDs[c] = id
	}
	return id
}

// Address gives an address identifier its number: 0 for the empty one. Space
// around it is dropped. The bytes are copied.
func (b *Builder) Address(s []byte) AddressID { return b.addresses.id(bytes.TrimSpace(s)) }

// Add takes rows. They are copied.
func (b *Builder) Add(rows []Row) { b.rows.add(rows) }

// AddArea takes a coverage area, in manifest order and feature order.
func (b *Builder) AddArea(a Area) error {
	if _, ok := b.csps[a.Claim.CSP]; !ok {
		return fmt.Errorf("area of CSP %q, which is not in Options.CSPs", a.Claim.CSP)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.areas = append(b.areas, a)
	return nil
}

// AddPostcode takes a postcode of the register. Where it is there already the
// first stays, and the answer is false.
func (b *Builder) AddPostcode(e Entry) (added bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entryAt.at(e.Postcode) != noPlace {
		return false
	}
	b.entryAt.set(e.Postcode, uint32(len(b.entries)))
	b.entries = append(b.entries, e)
	return true
}

// Postcode returns what AddPostcode has taken of a postcode.
func (b *Builder) Postcode(p geo.Postcode) (e Entry, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.entryAt.at(p); i != noPlace {
		return b.entries[i], true
	}
	return Entry{}, false
}

// PostcodeAt returns where AddPostcode has put a postcode: the zero value where
// it gave no coordinates, and for postcodes it was not given. It takes no lock:
// nothing may call AddPostcode at the same time.
func (b *Builder) PostcodeAt(p geo.Postcode) geo.Location {
	if i := b.entryAt.at(p); i != noPlace {
		return b.entries[i].At
	}
	return geo.Location{}
}

// addressTable interns address identifiers in shards, so that parsers running
// side by side rarely wait for each other.
type addressTable struct {
	seed   maphash.Seed
	shards [64]struct {
		sync.Mutex
		ids  map[string]AddressID
		text []string
	}
}

// An AddressID is the place in its shard times the number of shards, plus the
// shard; place 0 of shard 0 is the empty address.
const addressShards = 64

func (t *addressTable) init() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		t.shards[i].ids = map[string]AddressID{}
	}
	t.shards[0].text = []string{""}
}

func (t *addressTable) id(s []byte) AddressID {
	if len(s) == 0 {
		return 0
	}
	n := maphash.Bytes(t.seed, s) % addressShards
	sh := &t.shards[n]
	sh.Lock()
	defer sh.Unlock()
	id, ok := sh.ids[string(s)]
	if !ok {
		id = AddressID(len(sh.text)*addressShards + int(n))
		text := string(s)
		sh.text = append(sh.text, text)
		sh.ids[text] = id
	}
	return id
}

// Len returns a bound on all numbers given, plus one.
func (t *addressTable) len() int {
	n := 0
	for i := range t.shards {
		n = max(n, len(t.shards[i].text))
	}
	return n * addressShards
}

// text returns the address of a number; ok is false for numbers not given.
func (t *addressTable) at(id AddressID) (string, bool) {
	sh := &t.shards[id%addressShards]
	if i := int(id / addressShards); i < len(sh.text) {
		return sh.text[i], true
	}
	return "", false
}
