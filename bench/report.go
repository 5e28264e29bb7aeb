package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"coverd/index"
)

// ReportOptions say what a report measures. What is not required may be zero.
type ReportOptions struct {
	Binary   string // coverd, which is started as a child: required
	Sizes    []int  // premises to synthesise, build and measure: required
	Register string // the postcode register to put them on; by default one is made up
	Seed     uint64
	N        int           // questions of each kind in process: 200,000 by default
	Round    time.Duration // of closed loop over HTTP: one second by default
	Open     time.Duration // of open loop: ten seconds by default
	NoPeers  bool          // leave Redis and PostgreSQL out
	Work     string        // a folder for extracts and snapshots; by default one that is removed
	Progress Progress
}

// A Report is what was measured at several sizes. What is measured at one size
// alone (other mixes, HTTP, peers) is measured at the largest.
type Report struct {
	Run
	Register string    `json:"register,omitempty"`
	Sizes    []Size    `json:"sizes"`
	Verdicts []Verdict `json:"verdicts"`
	Curves   []Curve   `json:"curves"`
}

// Size is what was measured at one size.
type Size struct {
	Snapshot *Snapshot `json:"snapshot"`
	Rows     []Row     `json:"rows"` // of builds, and of look-ups by the mix Mixed
}

// Measure measures all that a report tells.
func Measure(ctx context.Context, run Run, o ReportOptions) (r *Report, err error) {
	work := o.Work
	if work == "" {
		if work, err = os.MkdirTemp("", "coverd-bench"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	}
	r = &Report{Run: run}
	if o.Register != "" {
		r.Register = filepath.Base(filepath.Clean(o.Register))
	}
	sizes := slices.Compact(slices.Sorted(slices.Values(o.Sizes)))
	for i, size := range sizes {
		if err := r.size(ctx, &o, size, filepath.Join(work, strconv.Itoa(size)), i == len(sizes)-1); err != nil {
			return nil, fmt.Errorf("%d premises: %w", size, err)
		}
	}
	r.Rows = append(r.Rows, growth(r.Sizes)...)
	r.Skipped = slices.Compact(r.Skipped)
	r.Verdicts = Judge(r.Rows)
	return r, nil
}

// size measures one size in a folder that it removes. Of the last size it
// measures everything.
func (r *Report) size(ctx context.Context, o *ReportOptions, size int, dir string, last bool) (err error) {
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Progress.report("synthesise "+thousands(float64(size)), 0, 1)
	extracts, snapshot := filepath.Join(dir, "extracts"), filepath.Join(dir, "bench.snap")
	synth := []string{"synth", "--quiet", "--premises", strconv.Itoa(size), "--seed", strconv.FormatUint(o.Seed, 10), "--out", extracts}
	if o.Register != "" {
		synth = append(synth, "--register", o.Register)
	}
	if _, err := runChild(ctx, o.Binary, synth...); err != nil {
		return err
	}
	built, err := Build(ctx, BuildOptions{Binary: o.Binary, Manifest: filepath.Join(extracts, "coverd.toml"), Out: snapshot, Progress: o.Progress})
	if err != nil {
		return err
	}
	r.Skipped = append(r.Skipped, built.Skipped...)
	s := Size{Snapshot: built.Snapshot, Rows: built.Rows}
	s.Rows = append(s.Rows,
		Row{Name: rowFile, N: s.Snapshot.Premises, Unit: unitEach, P50: new(s.Snapshot.PerPremises)},
		Row{Name: rowMemory, N: s.Snapshot.Premises, Unit: unitEach, P50: new(s.Snapshot.HeldPremises), Note: "without the R-trees"})
	snap, err := index.Open(snapshot)
	if err != nil {
		return err
	}
	c := NewCatalogue(snap)
	rows, err := Lookup(ctx, c, LookupOptions{Seed: o.Seed, N: o.N, Progress: o.Progress})
	if err != nil {
		return err
	}
	s.Rows = append(s.Rows, rows...)
	r.Sizes = append(r.Sizes, s)
	if !last {
		return nil
	}
	r.Snapshot, r.Rows = s.Snapshot, slices.Clone(s.Rows)
	return r.largest(ctx, o, c, snapshot)
}

// largest measures what only the largest size is asked.
func (r *Report) largest(ctx context.Context, o *ReportOptions, c *Catalogue, snapshot string) error {
	for _, mix := range Mixes[1:] {
		rows, err := Lookup(ctx, c, LookupOptions{Mix: mix, Seed: o.Seed, N: cmp.Or(o.N, 200_000) / 4, Progress: o.Progress})
		if errors.Is(err, errNone) {
			r.Skipped = append(r.Skipped, err.Error())
			continue
		} else if err != nil {
			return err
		}
		r.Rows = append(r.Rows, rows...)
	}
	over, err := HTTP(ctx, c, HTTPOptions{Binary: o.Binary, Snapshot: snapshot, Seed: o.Seed, Round: o.Round, Open: o.Open, NoPeers: o.NoPeers, Progress: o.Progress})
	if err != nil {
		return err
	}
	r.Rows, r.Curves = append(r.Rows, over.Rows...), over.Curves
	r.Skipped = append(r.Skipped, over.Skipped...)
	if o.NoPeers {
		r.Skipped = append(r.Skipped, "Redis GEOSEARCH, PostgreSQL with PostGIS: left out")
		return nil
	}
	peers, skipped, err := Peers(ctx, c, PeerOptions{Seed: o.Seed, Turn: 2 * cmp.Or(o.Round, time.Second), Progress: o.Progress})
	if err != nil {
		return err
	}
	r.Rows = append(r.Rows, peers...)
	r.Skipped = append(r.Skipped, skipped...)
	return nil
}

// growth compares the largest size with the smallest.
func growth(sizes []Size) (rows []Row) {
	if len(sizes) < 2 {
		return nil
	}
	small, large := sizes[0], sizes[len(sizes)-1]
	for _, q := range []string{qPostcode, qUPRN} {
		a, b := find(small.Rows, q), find(large.Rows, q)
		if a == nil || b == nil || a.Floor == nil || b.Floor == nil {
			continue
		}
		ours, floor := *b.P50 / *a.P50, *b.Floor / *a.Floor
		rows = append(rows, Row{
			Name: rowGrowth + q, N: large.Snapshot.Premises, Unit: unitTimes, P50: rounded(ours), Floor: rounded(floor), FloorOf: b.FloorOf,
			Ratio: rounded(ours / floor), Note: fmt.Sprintf("from %s premises", thousands(float64(small.Snapshot.Premises))),
		})
	}
	each := func(name string, small, large float64) {
		rows = append(rows, Row{Name: name, N: sizes[len(sizes)-1].Snapshot.Premises, Unit: unitTimes, P50: rounded(large / small), Ratio: rounded(large / small)})
	}
	each(rowGrowthFile, small.Snapshot.PerPremises, large.Snapshot.PerPremises)
	each(rowGrowthHeld, small.Snapshot.HeldPremises, large.Snapshot.HeldPremises)
	return rows
}

// WriteFiles writes the report into a folder: RESULTS.md, results.json, and the
// charts that it shows.
func (r *Report) WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"RESULTS.md": r.Markdown(), "results.json": append(data, '\n')}
	for _, c := range r.charts() {
		files[c.file] = c.svg()
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
