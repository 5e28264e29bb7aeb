package loader

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
)

// TestRemembered: what is found is what was last set, though most texts have
// lost their slot to another in the meantime, and some to come back.
func TestRemembered(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	m := newRemembered()
	last := map[string]uint32{} // what each text was set to
	hits, evicted := 0, 0
	for i := range uint32(1_000_000) {
		n := rnd.IntN(120_000)
		if i%2 == 0 {
			n = rnd.IntN(300) // asked for often
		}
		text := fmt.Sprintf("%0*d", 1+n%28, n)
		slot, found := m.find([]byte(text))
		switch want, set := last[text]; {
		case len(text) > len(rememberedText{}.text):
			if slot != nil || found {
				t.Fatalf("%s: a slot for a text too long", text)
			}
			continue
		case found && (!set || slot.id != want):
			t.Fatalf("%s: %d, want %d", text, slot.id, want)
		case found:
			hits++
			continue
		case set:
			evicted++
		}
		slot.set([]byte(text), i)
		last[text] = i
		if again, found := m.find([]byte(text)); !found || again.id != i {
			t.Fatalf("%s: not found after it was set", text)
		}
	}
	if hits < 300_000 || evicted < 100_000 {
		t.Errorf("%d found, %d found no more: too tame to test with", hits, evicted)
	}
	if len(m.slots) != rememberedSlots {
		t.Errorf("%d slots", len(m.slots))
	}
}

// kept is a sink that keeps everything.
type kept struct {
	claims []index.Claim
	rows   []index.Row
}

func (k *kept) Claim(c index.Claim) index.ClaimID {
	k.claims = append(k.claims, c)
	return index.ClaimID(len(k.claims) - 1)
}
func (k *kept) Address([]byte) index.AddressID       { return 1 }
func (k *kept) Add(rows []index.Row)                 { k.rows = append(k.rows, rows...) }
func (k *kept) PostcodeAt(geo.Postcode) geo.Location { return geo.Location{} }

func (k *kept) Locate(geo.LatLng) index.Allocation { return index.Allocation{Region: geo.South} }

// TestClaimsAreRemembered: whatever columns a file has, in whatever order, and
// however its cells are quoted, a claim is what its row says, as encoding/csv
// reads it, and not what the row before did.
func TestClaimsAreRemembered(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "", "a", "b", " a", "a ", "a,b", `q"`}
	values := map[string][]string{
		"network_region":            {"South", "North", " South"},
		"coverage_availability":     {"true", "false", ""},
		"anticipated_coverage_date": {"", "", "2027-01-01"},
		"coverage_end_date":         {"", "", "2027-01-01"},
		"connectivity_likelihood":   {"", "High"},
	}
	together, apart := 0, 0
	for range 300 {
		names := []string{"uprn"}
		for _, name := range columnNames[firstClaim:] {
			if name == "network_region" || name == "coverage_availability" || rnd.IntN(4) > 0 {
				names = append(names, name)
			}
		}
		if rnd.IntN(2) == 0 {
			names = append(names, "other")
		}
		if rnd.IntN(3) > 0 {
			rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		}
		var b strings.Builder
		b.WriteString(strings.Join(names, ",") + "\n")
		const rows = 300
		for i := range rows {
			for k, name := range names {
				of := values[name]
				if of == nil {
					of = texts
				}
				cell := of[rnd.IntN(len(of))]
				if name == "uprn" {
					cell = fmt.Sprint(i + 1)
				}
				if strings.ContainsAny(cell, `,"`) || rnd.IntN(30) == 0 {
					cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
				}
				if k > 0 {
					b.WriteByte(',')
				}
				b.WriteString(cell)
			}
			b.WriteString([]string{"\n", "\r\n"}[rnd.IntN(2)])
		}

		_, f, blocks := parserOf(t, b.String())
		var got kept
		reader := newClaimReader(&Extract{CSP: "A"})
		p := newPremisesParser(&got, reader, newRowCounts(5000))
		for _, bl := range blocks {
			if out := p.block(f, bl); len(out.rejects) > 0 {
				t.Fatalf("%+v", out.rejects[0])
			}
		}
		if f.claimFirst < 0 {
			apart++
		} else {
			together++
		}
		records, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(got.rows) != rows || len(records) != 1+rows {
			t.Fatalf("%d rows of %d, want %d", len(got.rows), len(records)-1, rows)
		}
		for i, record := range records[1:] {
			var cells [numClaimColumns][]byte
			for c := range cells {
				if k := slices.Index(names, columnNames[firstClaim+column(c)]); k >= 0 {
					cells[c] = []byte(record[k])
				}
			}
			want, fault := reader.claim(&cells)
			if c := got.claims[got.rows[i].Claim]; fault != nil || c != want {
				t.Fatalf("%s\nrow %q: %+v, want %+v", strings.Join(names, ","), record, c, want)
			}
		}
	}
	if together < 50 || apart < 50 {
		t.Errorf("the claim's columns stand together in %d files, apart in %d: too tame to test with", together, apart)
	}
}

// Rows that differ only by where a quoted cell ends are different claims.
func TestClaimsAreRememberedWithTheirQuotes(t *testing.T) {
	const header = "uprn,network_region,coverage_availability,wan_technology\n"
	rows := []string{
		`1,South,true,",true,4G"` + "\n",
		`2,"South,true,",true,4G` + "\n", // a network region that there is none of
	}
	for _, text := range []string{rows[0] + rows[1], rows[1] + rows[0], rows[0] + rows[0] + rows[1] + rows[1]} {
		_, f, blocks := parserOf(t, header+text)
		var got kept
		p := newPremisesParser(&got, newClaimReader(&Extract{CSP: "A"}), newRowCounts(5000))
		accepted, rejected := int64(0), 0
		for _, bl := range blocks {
			out := p.block(f, bl)
			accepted, rejected = accepted+out.accepted, rejected+len(out.rejects)
		}
		if each := int64(strings.Count(text, "\n") / 2); accepted != each || rejected != int(each) {
			t.Errorf("%s%d accepted, %d rejected, want %d each", text, accepted, rejected, each)
		}
	}
}
