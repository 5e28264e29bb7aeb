package licence

import (
	"time"
	_ "time/tzdata"

	"coverd/geo"
	"coverd/index"
)

func day(s string) index.Day {
	if s == "" {
		return 0
	}
	d, err := index.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

var london = func() *time.Location {
	l, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return l
}()

// claimList is what a premises' claims come to, the obvious way.
type claimList []index.Claim

func (c claimList) State(on index.Day) index.State {
	best := index.State(0)
	for i := range c {
		if s := c[i].On(on).State; best == 0 || s < best {
			best = s
		}
	}
	if best == 0 {
		return index.Unknown
	}
	return best
}

func (c claimList) Fit(on index.Day) (fit index.Fit, ok bool) {
	for i := range c {
		s := c[i].On(on)
		if !ok || s.State < fit.Status.State || s.State == fit.Status.State && s.From < fit.Status.From {
			fit, ok = index.Fit{Claim: &c[i], Status: s}, true
		}
	}
	return fit, ok
}

// Claims of the tests.
func available(until string) claimList {
	return claimList{{Network: index.NetworkSouth, Availability: index.AvailabilityTrue, End: day(until)}}
}

func planned(from, until string) claimList {
	return claimList{{Network: index.NetworkSouth, Availability: index.AvailabilityFalse, Anticipated: day(from), End: day(until), AsOf: day("2019-01-01")}}
}

func unavailable() claimList {
	return claimList{{Network: index.NetworkSouth, Availability: index.AvailabilityFalse}}
}

func unknown() claimList {
	return claimList{{Network: index.NetworkSouth, Availability: index.AvailabilityUnknown}}
}

// spell is what the database said from a known day on; nil: no such premises.
type spell struct {
	from   string
	claims claimList
}

// remembered is the history of spells, up to today.
func remembered(today index.Day, spells ...spell) (history []Indication) {
	for i, s := range spells {
		to := today
		if i+1 < len(spells) {
			to = day(spells[i+1].from) - 1
		}
		in := Indication{From: day(s.from), To: to, Snapshot: "snapshot-" + string(rune('a'+i))}
		if s.claims != nil {
			in.Present, in.Claims = true, s.claims
		}
		history = append(history, in)
	}
	return history
}

var rose = Place{UPRN: 990000000301, Postcode: mustPostcode("GU1 2AB"), Address: "Rose Cottage", Location: geo.LatLng{Lat: 51.238778, Lng: -0.56462}.Location()}

func mustPostcode(s string) geo.Postcode {
	p, err := geo.ParsePostcode(s)
	if err != nil {
		panic(err)
	}
	return p
}

// at is a time in London.
func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, london)
	if err != nil {
		panic(err)
	}
	return t
}

// check is one about rose, by what CSPs claim.
func check(ref, when, on string, state index.State, from, until string) Check {
	return Check{Reference: ref, At: at(when), Place: Place{UPRN: rose.UPRN}, Snapshot: "snapshot-x", On: day(on), State: state, From: day(from), Until: day(until), Basis: BasisClaims}
}
