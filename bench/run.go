package bench

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"coverd/index"
)

// A Run is what one command measured, with what there is to know to do it
// again.
type Run struct {
	Date     string    `json:"date"`
	Command  string    `json:"command"`
	Machine  Machine   `json:"machine"`
	Seed     uint64    `json:"seed"`
	Snapshot *Snapshot `json:"snapshot,omitempty"`
	Rows     []Row     `json:"rows"`
	Skipped  []string  `json:"skipped,omitempty"` // what was not measured, and why
}

// Snapshot is which snapshot was asked.
type Snapshot struct {
	ID            string  `json:"id"`
	FormatVersion int     `json:"format_version"`
	AsOf          string  `json:"as_of"`
	Premises      int64   `json:"premises"`
	Postcodes     int64   `json:"postcodes"`
	Bytes         int64   `json:"bytes"`
	Memory        int64   `json:"memory"`
	PerPremises   float64 `json:"bytes_per_premises"`
	HeldPremises  float64 `json:"memory_per_premises"`
}

// Describe tells which snapshot was asked.
func Describe(snap *index.Snapshot) *Snapshot {
	i := snap.Info()
	n := float64(max(i.Premises, 1))
	return &Snapshot{
		ID: i.ID, FormatVersion: i.FormatVersion, AsOf: i.AsOf.String(), Premises: i.Premises, Postcodes: i.Postcodes,
		Bytes: i.Bytes, Memory: i.Memory, PerPremises: *rounded(float64(i.Bytes) / n), HeldPremises: *rounded(float64(i.Memory) / n),
	}
}

// WriteText writes the rows for people at a terminal.
func (r *Run) WriteText(w io.Writer) error {
	if s := r.Snapshot; s != nil {
		fmt.Fprintf(w, "snapshot %s as of %s, %s premises at %s postcodes\n", s.ID, s.AsOf, thousands(float64(s.Premises)), thousands(float64(s.Postcodes)))
	}
	fmt.Fprintf(w, "%s\n\n", r.Machine)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "QUESTION\tMIX\tN\tUNIT\tP50\tP99\tP99.9\tALLOCS\tFLOOR\tRATIO\tOF\n")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Name, dash(row.Mix), row.N, row.Unit,
			figure(row.P50), figure(row.P99), figure(row.P999), figure(row.Allocs), figure(row.Floor), figure(row.Ratio), dash(row.FloorOf))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "not measured: %s\n", s)
	}
	return nil
}

// figure writes a figure of four significant digits at most, or a dash.
func figure(v *float64) string {
	if v == nil {
		return "-"
	}
	return thousands(*v)
}

// thousands writes a number with its thousands apart.
func thousands(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	end := len(s)
	for i := range s {
		if s[i] == '.' {
			end = i
			break
		}
	}
	for i := end - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
