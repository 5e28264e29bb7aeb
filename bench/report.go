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
	National int    // the one of them at which everything is measured: see [National]
	Register string // the postcode register to put them on; by default one is made up
	Seed     uint64
	N        int           // questions of each kind in process: 200,000 by default
	Round    time.Duration // of closed loop over HTTP: one second by default
	Open     time.Duration // of open loop: ten seconds by default
	NoPeers  bool          // leave Redis and PostgreSQL out
	Work     string        // where a folder for extracts and snapshots is made and removed; by default the system's
	Progress Progress
}

// country is how many premises there are in Great Britain.
const country = 30_000_000

// National is the size at which everything is measured unless another is asked
// for: the largest that is no larger than the country, else the largest. What is
// beyond shows what becomes of builds and look-ups, no more.
func National(sizes []int) int {
	national := 0
	for _, size := range sizes {
		if size <= country {
			national = max(national, size)
		}
	}
	return cmp.Or(national, slices.Max(sizes))
}

// A Report is what was measured at several sizes. What is measured at one size
// alone (other mixes, HTTP, peers) is measured at the national one, of which
// Snapshot and Rows are.
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
func Measure(ctx context.Context, run Run, o ReportOptions) (*Report, error) {
	if len(o.Sizes) == 0 {
		return nil, errors.New("a report of no sizes")
	}
	o.National = cmp.Or(o.National, National(o.Sizes))
	if !slices.Contains(o.Sizes, o.National) {
		return nil, fmt.Errorf("a report at %d premises, which is none of its sizes", o.National)
	}
	if o.Work != "" {
		if err := os.MkdirAll(o.Work, 0o777); err != nil {
			return nil, err
		}
	}
	r := &Report{Run: run}
	if o.Register != "" {
		r.Register = filepath.Base(filepath.Clean(o.Register))
	}
	for _, size := range slices.Compact(slices.Sorted(slices.Values(o.Sizes))) {
		if err := r.size(ctx, &o, size); err != nil {
			return nil, fmt.Errorf("%d premises: %w", size, err)
		}
	}
	r.Rows = append(r.Rows, growth(r.Sizes, r.Snapshot.Premises)...)
	r.Rows = append(r.Rows, beside(r.Rows, r.Sizes)...)
	r.Skipped = slices.Compact(r.Skipped)
	r.Verdicts = Judge(r.Rows)
	return r, nil
}

// size measures one size in a folder that it makes and removes. Of the national
// size it measures everything.
func (r *Report) size(ctx context.Context, o *ReportOptions, size int) (err error) {
	dir, err := os.MkdirTemp(o.Work, "coverd-bench-"+strconv.Itoa(size)+"-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	extracts, snapshot := filepath.Join(dir, "extracts"), filepath.Join(dir, "bench.snap")
	if err := o.synthesise(ctx, size, 0, extracts); err != nil {
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
		Row{Name: rowHeld, N: s.Snapshot.Premises, Unit: unitEach, P50: new(s.Snapshot.HeldPremises), Note: "without the R-trees"})
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
	if size != o.National {
		return nil
	}
	r.Snapshot, r.Rows = s.Snapshot, slices.Clone(s.Rows)
	if err := r.everything(ctx, o, c, snapshot); err != nil {
		return err
	}
	return r.swaps(ctx, o, c, size, dir, snapshot)
}

// synthesise makes the extracts of a size on a night.
func (o *ReportOptions) synthesise(ctx context.Context, size, night int, out string) error {
	o.Progress.report(fmt.Sprintf("synthesise %s, night %d", thousands(float64(size)), night), 0, 1)
	args := []string{"synth", "--quiet", "--premises", strconv.Itoa(size), "--seed", strconv.FormatUint(o.Seed, 10), "--night", strconv.Itoa(night), "--out", out}
	if o.Register != "" {
		args = append(args, "--register", o.Register)
	}
	_, err := runChild(ctx, o.Binary, args...)
	return err
}

// swaps measures swaps with the snapshot of a night on, which it makes in dir.
func (r *Report) swaps(ctx context.Context, o *ReportOptions, c *Catalogue, size int, dir, snapshot string) error {
	extracts, next := filepath.Join(dir, "night1"), filepath.Join(dir, "night1.snap")
	if err := o.synthesise(ctx, size, 1, extracts); err != nil {
		return err
	}
	o.Progress.report("build night 1", 0, 1)
	if _, err := runChild(ctx, o.Binary, "build", "--quiet", "--manifest", filepath.Join(extracts, "coverd.toml"), "--out", next); err != nil {
		return err
	}
	rows, err := Swap(ctx, c, SwapOptions{
		Binary: o.Binary, Snapshots: [2]string{snapshot, next}, Seed: o.Seed, Round: o.Round, Open: 3 * o.Open, Work: dir, Progress: o.Progress,
	})
	r.Rows = append(r.Rows, rows...)
	return err
}

// everything measures what only one size is asked of one snapshot.
func (r *Report) everything(ctx context.Context, o *ReportOptions, c *Catalogue, snapshot string) error {
	n := cmp.Or(o.N, 200_000)
	o.Progress.report(rowEdges, 0, 1)
	// By default of enough that no vertex and no corner of a cell is left out.
	edges, err := edgesTested(ctx, c.Snap, n/8, o.Seed)
	if err != nil {
		return err
	}
	r.Rows = append(r.Rows, edges)
	for _, mix := range Mixes[1:] {
		rows, err := Lookup(ctx, c, LookupOptions{Mix: mix, Seed: o.Seed, N: n / 4, NoRegions: true, Progress: o.Progress})
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
