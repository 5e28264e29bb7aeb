package loader

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
)

// drain is a sink that keeps nothing.
type drain struct{ rows int }

func (d *drain) Claim(index.Claim) index.ClaimID { return 1 }
func (d *drain) Address([]byte) index.AddressID  { return 1 }
func (d *drain) Add(rows []index.Row)            { d.rows += len(rows) }
func (d *drain) PostcodeAt(geo.Postcode) geo.Location {
	return geo.Location{Lat: 51_200_000, Lng: -500_000}
}
func (d *drain) Locate(geo.LatLng) index.Allocation { return index.Allocation{Region: geo.South} }

// benchRows are rows as national extracts have them: a handful of claims, and
// addresses that are mostly numbers.
func benchRows(n int, columns string) string {
	var b strings.Builder
	b.WriteString(columns + ",network_region,coverage_availability,anticipated_coverage_date,coverage_end_date,wan_technology,wan_variant,connectivity_likelihood,auxiliary_equipment,additional_information\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,GU1 %dA%c,%d,", 990_000_000_000+i, i%10, "ABDEFGHJ"[i%8], i%200)
		if strings.Contains(columns, "easting") {
			fmt.Fprintf(&b, "%d,%d", 499_000+i%1000, 150_000+i%777)
		} else {
			fmt.Fprintf(&b, "%.6f,%.6f", 51.2+float64(i%1000)/1e5, -0.5-float64(i%777)/1e5)
		}
		fmt.Fprintf(&b, ",South,%v,,,Cellular,SKU%d,High,,\n", i%7 > 0, i%3)
	}
	return b.String()
}

// parserOf opens a text for a parser of premises.
func parserOf(tb testing.TB, text string) (p *premisesParser, f *csvFile, blocks []block) {
	tb.Helper()
	s := newSplitter("x.csv", strings.NewReader(text), blockSize)
	f, _, err := bindFile(s, 0, &Extract{CSP: "A"}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for {
		b, err := s.next()
		if err == io.EOF {
			return newPremisesParser(&drain{}, newClaimReader(&Extract{CSP: "A"}), newRowCounts(5000)), f, blocks
		}
		if err != nil {
			tb.Fatal(err)
		}
		b.owner = nil // to be parsed more than once
		blocks = append(blocks, b)
	}
}

// Once a claim and an address have been seen, a good row costs no memory.
func TestGoodRowsAllocateNothing(t *testing.T) {
	for _, columns := range []string{"uprn,postcode,address_identifier,latitude,longitude", "uprn,postcode,address_identifier,easting,northing"} {
		p, f, blocks := parserOf(t, benchRows(2000, columns))
		if n := testing.AllocsPerRun(20, func() {
			for _, b := range blocks {
				if out := p.block(f, b); out.accepted != 2000 {
					t.Fatalf("%+v", out)
				}
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for 2,000 rows", columns, n)
		}
	}
}

// A provider may put something of its own into every row: what is remembered
// stays within bounds, and is right all the same.
func TestRememberedIsBounded(t *testing.T) {
	const rows = maxRemembered + 1000
	var b strings.Builder
	b.WriteString("uprn,postcode,address_identifier,network_region,coverage_availability,additional_information\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,GU1 1AA,House %d,South,true,note %d\n", i+1, i, i)
	}
	p, f, blocks := parserOf(t, b.String())
	for _, bl := range blocks {
		p.block(f, bl)
	}
	if n := len(p.claimIDs); n > maxRemembered || n == 0 {
		t.Errorf("%d claims remembered", n)
	}
	s, _ := premisesWorld("A", b.String()).build(t)
	for _, i := range []int{0, maxRemembered - 1, maxRemembered, rows - 1} {
		pr := byUPRN(t, s, geo.UPRN(i+1))
		c, _ := pr.Claims().At(0)
		if got, want := string(pr.Address())+", "+c.Info, fmt.Sprintf("House %d, note %d", i, i); got != want {
			t.Errorf("premises %d: %s, want %s", i+1, got, want)
		}
	}
}

func BenchmarkPremisesRows(b *testing.B) {
	for _, bb := range []struct{ name, columns string }{
		{"degrees", "uprn,postcode,address_identifier,latitude,longitude"},
		{"metres", "uprn,postcode,address_identifier,easting,northing"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			const rows = 20_000
			text := benchRows(rows, bb.columns)
			p, f, blocks := parserOf(b, text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for _, bl := range blocks {
					p.block(f, bl)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

func BenchmarkSplitter(b *testing.B) {
	for _, quoted := range []bool{false, true} {
		b.Run(fmt.Sprintf("quoted=%v", quoted), func(b *testing.B) {
			text := benchRows(20_000, "uprn,postcode,address_identifier,latitude,longitude")
			if quoted {
				text = strings.ReplaceAll(text, ",South,", ",\"South\",")
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s := newSplitter("x.csv", strings.NewReader(text), blockSize)
				for {
					bl, err := s.next()
					if err != nil {
						break
					}
					bl.free()
				}
			}
		})
	}
}

// The floor below them: finding the line ends of the same text.
func BenchmarkLineEnds(b *testing.B) {
	text := benchRows(20_000, "uprn,postcode,address_identifier,latitude,longitude")
	b.SetBytes(int64(len(text)))
	n := 0
	for b.Loop() {
		n += strings.Count(text, "\n")
	}
}
