package loader

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAccuracyOfAnything: whatever is in a table, each row is scored, not known,
// or rejected with the line it stands in.
func TestAccuracyOfAnything(t *testing.T) {
	chain := workedChain(t)
	rng := rand.New(rand.NewPCG(3, 9))
	cells := []string{
		"1", "2", "", "GU1 1AA", "gu11ab", "GU1 IAA", "BT1 1AA", "51.5", "-1", "99", "2026-11-10", "10/11/2026", "2026-11-10T00:00:00", "2026-13-01",
		"8.14.1", "Install Success", `"Install, No SM WAN"`, "maybe", `"a ""b"", c"`, "\"x\r\ny\"", `a"b`, `"bad"x`, `"open`, "\xff", "\x00", "=1+1", "é", "\r",
	}
	for range 300 {
		columns := []string{"uprn", "postcode", "address", "latitude", "longitude", "installation_date", "outcome"}
		rng.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
		end := []string{"\n", "\r\n"}[rng.IntN(2)]
		var b strings.Builder
		b.WriteString(strings.Join(columns, ",") + end)
		for range rng.IntN(30) {
			n := len(columns)
			if rng.IntN(10) == 0 {
				n = rng.IntN(12)
			}
			row := make([]string, n)
			for i := range row {
				row[i] = cells[rng.IntN(len(cells))]
			}
			b.WriteString(strings.Join(row, ",") + end)
		}
		if rng.IntN(20) == 0 {
			b.WriteString(strings.Repeat("x", 2*maxRecord) + end + "1,,,,,," + end)
		}
		text := b.String()
		a, err := Score(t.Context(), chain, "-", strings.NewReader(text), AccuracyOptions{Lead: 1, Name: "t.csv"})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		all, rejected := int64(0), int64(0)
		for _, o := range outcomesOf(&a.OutcomeCounts) {
			all += o.all()
		}
		for _, n := range a.RejectedBy {
			rejected += n
		}
		if all+a.Rejected != a.Rows || all != a.Scored+a.NotKnown || rejected != a.Rejected || int64(len(a.Rejects)) != min(rejected, maxRejectsKept) {
			t.Fatalf("%q: %d rows, %d counted, %d rejected, %d by code", text, a.Rows, all, a.Rejected, rejected)
		}
		lines := strings.SplitAfter(text, "\n")
		for i := range a.Rejects {
			r := &a.Rejects[i]
			first, _, _ := strings.Cut(r.Row, "\n")
			if r.Line < 2 || r.Line > len(lines) || len(r.Row) < maxRecord && r.Code != CodeLineLength && !strings.HasPrefix(lines[r.Line-1], strings.TrimSuffix(first, "\r")) {
				t.Fatalf("line %d is %.200q, told as %.200q", r.Line, lines[min(r.Line, len(lines))-1], r.Row)
			}
		}
	}
}
