package bench

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"coverd/geo"
	"coverd/index"
)

// The mixes: which questions are asked.
const (
	Hits      = "hits"       // postcodes with premises, each as likely as the next
	Misses    = "misses"     // well formed, and known to nobody: half of them in outcodes that are known
	Hot       = "hot"        // hits, most of them in a few outcodes (Zipf, s = 1.5)
	Border    = "border"     // postcodes near another Region, points within 100 m of it
	NewBuilds = "new-builds" // postcodes that the register holds as live and no extract knows
	Mixed     = "mixed"      // of twenty questions 12 hits, 3 hot, 2 misses, 2 new builds, 1 border
)

// Mixes lists the mixes.
var Mixes = []string{Mixed, Hits, Misses, Hot, Border, NewBuilds}

// portions are the parts of Mixed, in questions of twenty.
var portions = []struct {
	mix string
	of  int
}{{Hits, 12}, {Hot, 3}, {Misses, 2}, {NewBuilds, 2}, {Border, 1}}

// CheckMix returns an error that lists the mixes unless name is one.
func CheckMix(name string) error {
	if slices.Contains(Mixes, name) {
		return nil
	}
	return fmt.Errorf("%q is not a mix: want %s", name, strings.Join(Mixes, ", "))
}

// Keys are what the questions of a mix ask for: question i of a kind takes the
// kind's key i, round and round. All lists are equally long.
type Keys struct {
	Postcodes []geo.Postcode
	Outcodes  []geo.Outcode
	Sectors   []geo.Sector
	UPRNs     []geo.UPRN
	Points    []geo.LatLng
}

// key is one question's key of every kind.
type key struct {
	postcode geo.Postcode
	uprn     geo.UPRN
	point    geo.LatLng
}

func (k *Keys) add(q key) {
	k.Postcodes = append(k.Postcodes, q.postcode)
	k.Outcodes = append(k.Outcodes, q.postcode.Outcode())
	k.Sectors = append(k.Sectors, q.postcode.Sector())
	k.UPRNs = append(k.UPRNs, q.uprn)
	k.Points = append(k.Points, q.point)
}

// Draw draws n keys of a mix. The same snapshot, mix and seed give the same
// keys. It fails where the snapshot has nothing of the kind, such as a postcode
// near a border.
func (c *Catalogue) Draw(mix string, seed uint64, n int) (*Keys, error) {
	if err := CheckMix(mix); err != nil {
		return nil, err
	}
	rng := random(mix, seed)
	var keys Keys
	if mix != Mixed {
		draw, err := c.drawer(mix, rng)
		if err != nil {
			return nil, err
		}
		for range n {
			keys.add(draw())
		}
		return &keys, nil
	}
	var wheel []func() key
	for _, p := range portions {
		draw, err := c.drawer(p.mix, rng)
		if errors.Is(err, errNone) {
			continue // of a snapshot without borders, the rest
		} else if err != nil {
			return nil, err
		}
		for range p.of {
			wheel = append(wheel, draw)
		}
	}
	for range n {
		keys.add(wheel[rng.IntN(len(wheel))]())
	}
	return &keys, nil
}

// random is the stream of a mix: another seed or mix is another stream.
func random(mix string, seed uint64) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(mix)) // never fails
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// errNone is that the snapshot has nothing of what a mix asks for.
var errNone = errors.New("nothing in this snapshot to ask for")

// drawer returns what draws a mix's keys.
func (c *Catalogue) drawer(mix string, rng *rand.Rand) (func() key, error) {
	switch mix {
	case Hits:
		return c.hits(c.filled, rng)
	case Misses:
		return c.misses(rng)
	case Hot:
		return c.hot(rng)
	case Border:
		return c.borders(rng)
	case NewBuilds:
		return c.newBuilds(rng)
	}
	return nil, CheckMix(mix)
}

// hits draws units and one of their premises each, with a point that lies where
// somebody's telephone would say that the premises is.
func (c *Catalogue) hits(units []index.Unit, rng *rand.Rand) (func() key, error) {
	if len(units) == 0 {
		return nil, fmt.Errorf("postcodes with premises: %w", errNone)
	}
	return func() key { return hit(units[rng.IntN(len(units))], rng) }, nil
}

func hit(unit index.Unit, rng *rand.Rand) key {
	home := unit.Premises(rng.IntN(unit.Len()))
	at := home.At()
	if !at.IsValid() {
		at = unit.At()
	}
	return key{unit.Postcode(), home.UPRN(), jitter(at.LatLng(), 20, rng)}
}

func (c *Catalogue) hot(rng *rand.Rand) (func() key, error) {
	if len(c.filled) == 0 {
		return nil, fmt.Errorf("postcodes with premises: %w", errNone)
	}
	// filled is in directory order, so that an outcode is a run of it.
	var runs [][]index.Unit
	for i, from := 1, 0; i <= len(c.filled); i++ {
		if i == len(c.filled) || c.filled[i].Postcode().Outcode() != c.filled[from].Postcode().Outcode() {
			runs = append(runs, c.filled[from:i])
			from = i
		}
	}
	rng.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	zipf := rand.NewZipf(rng, 1.5, 1, uint64(len(runs)-1))
	return func() key {
		run := runs[zipf.Uint64()]
		return hit(run[rng.IntN(len(run))], rng)
	}, nil
}

func (c *Catalogue) borders(rng *rand.Rand) (func() key, error) {
	point, err := c.borderPoint(rng)
	if err != nil {
		return nil, err
	}
	if len(c.bordering) == 0 {
		return nil, fmt.Errorf("postcodes with premises and another Region within 5 km: %w", errNone)
	}
	return func() key {
		k := hit(c.bordering[rng.IntN(len(c.bordering))], rng)
		k.point = point()
		return k
	}, nil
}

func (c *Catalogue) newBuilds(rng *rand.Rand) (func() key, error) {
	if len(c.empty) == 0 {
		return nil, fmt.Errorf("live postcodes in no extract: %w", errNone)
	}
	return func() key {
		unit := c.empty[rng.IntN(len(c.empty))]
		return key{unit.Postcode(), c.absentUPRN(rng), jitter(unit.At().LatLng(), 50, rng)}
	}, nil
}

func (c *Catalogue) misses(rng *rand.Rand) (func() key, error) {
	if len(c.outcodes) == 0 {
		return nil, fmt.Errorf("outcodes: %w", errNone)
	}
	return func() key {
		var k key
		for known := rng.IntN(2) == 0; !k.postcode.IsValid(); {
			o := c.outcodes[rng.IntN(len(c.outcodes))]
			if !known {
				o, _ = geo.OutcodeFromOrdinal(rng.Uint32N(uint32(geo.Outcodes)))
				if _, there := c.Snap.Outcode(o); there {
					continue
				}
			}
			p, _ := geo.PostcodeFrom(o, uint16(rng.IntN(geo.Inwards)))
			if _, there := c.Snap.Postcode(p); !there {
				k.postcode = p
			}
		}
		k.uprn = c.absentUPRN(rng)
		for k.point = inExtent(rng); c.Snap.Region(k.point).Region != geo.NoRegion; {
			k.point = inExtent(rng)
		}
		return k
	}, nil
}

func (c *Catalogue) absentUPRN(rng *rand.Rand) geo.UPRN {
	for {
		u := geo.UPRN(1 + rng.Uint64N(uint64(geo.MaxUPRN)))
		if _, there := c.Snap.UPRN(u); !there {
			return u
		}
	}
}

// jitter moves a point by a normal deviate of so many metres either way.
func jitter(p geo.LatLng, metres float64, rng *rand.Rand) geo.LatLng {
	m := geo.MetricAt(p.Lat)
	p.Lat += rng.NormFloat64() * metres / m.PerLat
	p.Lng += rng.NormFloat64() * metres / m.PerLng
	return p
}

// inExtent draws a point of Great Britain's extent, evenly on the ground.
func inExtent(rng *rand.Rand) geo.LatLng {
	const radian = math.Pi / 180
	south, north := math.Sin(geo.MinLat*radian), math.Sin(geo.MaxLat*radian)
	return geo.LatLng{
		Lat: math.Asin(south+(north-south)*rng.Float64()) / radian,
		Lng: geo.MinLng + (geo.MaxLng-geo.MinLng)*rng.Float64(),
	}
}
