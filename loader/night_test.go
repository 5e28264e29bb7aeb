package loader

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coverd/index"
)

// nightRow is a row of a seeded night.
type nightRow struct {
	uprn                               int
	postcode                           string
	lat, lng                           float64
	network, available, variant, extra string
}

// nightCSV is a premises extract.
func nightCSV(rows []nightRow) string {
	var b strings.Builder
	b.WriteString("uprn,postcode,latitude,longitude,network_region,coverage_availability,wan_variant\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "%d,%s,%.6f,%.6f,%s,%s,%s%s\n", r.uprn, r.postcode, r.lat, r.lng, r.network, r.available, r.variant, r.extra)
	}
	return b.String()
}

// nightRows are n rows of a CSP, three in four of them in the postcode area GU,
// the others in B, all just south of the border of the Regions South and Central.
func nightRows(first, n int) []nightRow {
	rows := make([]nightRow, n)
	for i := range rows {
		area := "GU"
		if i%4 == 3 {
			area = "B"
		}
		rows[i] = nightRow{
			uprn: first + i, postcode: nightPostcode(area, i%100), lat: 52.499, lng: -1 - float64(i%100)/1e5,
			network: "South", available: "true", variant: "SKU1",
		}
	}
	return rows
}

const inwardLetters = "ABDEFGHJLN"

// nightPostcode is one of the first ten thousand postcodes of an area.
func nightPostcode(area string, i int) string {
	return fmt.Sprintf("%s%d %d%c%c", area, 1+i/1000, i/100%10, inwardLetters[i/10%10], inwardLetters[i%10])
}

// nightRegister has n postcodes of GU and as many of B.
func nightRegister(n int) []string {
	rows := make([]string, 0, 2*n)
	for i := range n {
		for _, area := range []string{"GU", "B"} {
			rows = append(rows, fmt.Sprintf("%s,52.499000,-1.000000,2026-%02d,\n", nightPostcode(area, i), 1+i%12))
		}
	}
	return rows
}

// night is what came in one night.
type night struct {
	asOf               string
	sequence           int
	arqiva, vodafone   []nightRow
	register           []string
	regions            string
	more               string // at the end of the manifest
	arqivaMore, voMore string // in the tables of the extracts
	absent             bool   // no file came of Vodafone
}

func baseNight() *night {
	return &night{
		asOf: "2026-11-22", sequence: 412, regions: boxes,
		arqiva: nightRows(990_000_000_000, 2000), vodafone: nightRows(990_000_100_000, 400), register: nightRegister(1200),
	}
}

func (n *night) world() world {
	extract := func(csp, path, more string) string {
		return fmt.Sprintf("[[extract]]\ncsp = %q\nkind = \"premises\"\npath = %q\nsequence = %d\nas_of = %s\n%s\n", csp, path, n.sequence, n.asOf, more)
	}
	w := world{
		"regions.geojson": n.regions, "arqiva.csv": nightCSV(n.arqiva),
		"register.csv": "postcode,latitude,longitude,introduced,terminated\n" + strings.Join(n.register, ""),
		"coverd.toml": "as_of = " + n.asOf + "\n[regions]\npath = \"regions.geojson\"\n[[register]]\npath = \"register.csv\"\n" +
			extract("Arqiva", "arqiva.csv", n.arqivaMore) + extract("Vodafone", "vodafone.csv", n.voMore) + n.more,
	}
	if !n.absent {
		w["vodafone.csv"] = nightCSV(n.vodafone)
	}
	return w
}

// after is the night after, with all as it was.
func (n *night) after(edit func(*night)) *night {
	next := *n
	next.asOf, next.sequence = "2026-11-23", n.sequence+1
	next.arqiva, next.vodafone, next.register = slices.Clone(n.arqiva), slices.Clone(n.vodafone), slices.Clone(n.register)
	if edit != nil {
		edit(&next)
	}
	return &next
}

// judge builds a night after a snapshot.
func (n *night) judge(t testing.TB, previous *index.Snapshot, o Options) *Result {
	t.Helper()
	o.Previous = previous
	res, err := n.world().try(t, o)
	if _, refused := errors.AsType[*RefusedError](err); err != nil && !refused {
		t.Fatal(err)
	}
	return res
}

// refusals are the gates that refused, with what they judged.
func refusals(res *Result) []string {
	list := []string{}
	for _, r := range res.Refusals {
		list = append(list, r.Gate+" "+r.Source)
	}
	slices.Sort(list)
	return list
}

func gateOf(t testing.TB, res *Result, gate, source string) GateResult {
	t.Helper()
	for _, g := range res.Gates {
		if g.Gate == gate && g.Source == source {
			return g
		}
	}
	t.Fatalf("no gate %s of %s", gate, source)
	return GateResult{}
}

// addRows adds rows of new premises to one postcode area.
func addRows(rows []nightRow, area string, n int) []nightRow {
	for i := range n {
		r := rows[0]
		r.uprn, r.postcode = 990_000_500_000+i, nightPostcode(area, i%100)
		rows = append(rows, r)
	}
	return rows
}

// dropRows drops the first n rows of a postcode area.
func dropRows(rows []nightRow, area string, n int) []nightRow {
	return slices.DeleteFunc(rows, func(r nightRow) bool {
		if n == 0 || !strings.HasPrefix(r.postcode, area) {
			return false
		}
		n--
		return true
	})
}

func dropPostcodes(rows []string, area string, n int) []string {
	return slices.DeleteFunc(rows, func(r string) bool {
		if n == 0 || !strings.HasPrefix(r, area) {
			return false
		}
		n--
		return true
	})
}

// change edits the first n rows of a postcode area.
func change(rows []nightRow, area string, n int, edit func(*nightRow)) {
	for i := range rows {
		if n > 0 && strings.HasPrefix(rows[i].postcode, area) {
			edit(&rows[i])
			n--
		}
	}
}
