package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"coverd/fixtures"
	"coverd/geo"
	"coverd/index"
	"coverd/loader"
)

type synthOptions struct {
	premises  int
	seed      uint64
	out       string
	register  string
	format    string
	regions   string
	newBuilds float64
	night     int
	asOf      string
	outcomes  int
	falseYes  float64
	falseNo   float64
	force     bool
	asJSON    bool
	quiet     bool
}

func newSynth(std stdio) *cobra.Command {
	var o synthOptions
	cmd := &cobra.Command{
		Use:   "synth",
		Short: "write made-up extracts, with the truth beside them",
		Long: `Write premises and coverage-area extracts of made-up providers, the manifest to build them with, and the truth: what
the generator knows of every premises, those in no extract included. Premises are put at the postcodes of a register,
or at made-up postcodes around the real outcodes. Coverage is radio-like. The same options give the same bytes.

All of it is synthetic and says nothing about the SM WAN.`,
		Example: `  coverd synth --premises 30000000 --seed 1 --register codepo_gb --out national
  coverd build --manifest national/coverd.toml --out national.snap

  coverd synth --premises 100000 --seed 1 --out small
  coverd synth --premises 100000 --seed 1 --out small --force --night 1     # the same country a night on`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runSynth(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.IntVar(&o.premises, "premises", 0, "`number` of premises in the extracts (required)")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that everything comes from: another seed is another country")
	f.StringVar(&o.out, "out", "", "the `folder` to write (required)")
	f.StringVar(&o.register, "register", "", "postcode register, a `file`, glob or folder; by default postcodes are made up")
	f.StringVar(&o.format, "register-format", "", "the register's `format`: onspd, code-point-open or coverd; by default recognised")
	f.StringVar(&o.regions, "regions", "", "Region boundaries, a GeoJSON `file`; by default the indicative ones")
	f.Float64Var(&o.newBuilds, "new-builds", 0.007, "`share` of postcodes that are in the register and in no extract")
	f.IntVar(&o.night, "night", 0, "the same country this `number` of nights on")
	f.StringVar(&o.asOf, "as-of", "2026-11-22", "the `day` of night 0")
	f.IntVar(&o.outcomes, "outcomes", 0, "`number` of installation outcomes to write, for coverd accuracy")
	f.Float64Var(&o.falseYes, "false-yes", 0.02, "`share` of installations with coverage that find no SM WAN all the same")
	f.Float64Var(&o.falseNo, "false-no", 0.1, "`share` of installations without coverage that are a success all the same")
	f.BoolVar(&o.force, "force", false, "write into a folder that is not empty, over what synth wrote there before")
	f.BoolVar(&o.asJSON, "json", false, "print the summary as JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress and no summary, only errors")
	required(cmd, "premises", "out")
	return cmd
}

func runSynth(ctx context.Context, o synthOptions, std stdio) error {
	start := time.Now()
	if err := o.check(); err != nil {
		return err
	}
	locate, err := o.locator()
	if err != nil {
		return err
	}
	opts := fixtures.Options{
		Premises: o.premises, Seed: o.seed, AsOf: o.asOf, NewBuilds: o.newBuilds, Night: o.night, WriteRegister: o.register == "",
		RegisterPath: o.fromOut(o.register), RegisterFormat: o.format, RegionsPath: o.fromOut(o.regions),
	}
	opts.Outcomes, opts.FalseYes, opts.FalseNo = o.outcomes, o.falseYes, o.falseNo
	if o.falseYes == 0 {
		opts.FalseYes = -1
	}
	if o.falseNo == 0 {
		opts.FalseNo = -1
	}
	if o.newBuilds == 0 {
		opts.NewBuilds = -1 // none, where 0 would be the default
	}
	progress := newProgress(std.err, o.quiet)
	var walk registerWalk
	places := walk.places(ctx, o.register, loader.Format(o.format), locate)
	if o.register == "" {
		places = fixtures.InventPlaces(fixtures.PlaceOptions{Seed: o.seed, Units: fixtures.UnitsFor(o.premises), Region: locate})
	}
	summary, err := fixtures.Write(ctx, o.out, places, opts, func(done, total int) { progress.report("premises", int64(done), int64(total)) })
	progress.end()
	if err = errors.Join(walk.err, err); err != nil {
		return err
	}
	if walk.rejected > 0 {
		fmt.Fprintf(std.err, "%s rows of the register were left out, the first: %v\n", countText(walk.rejected), walk.first)
	}
	switch {
	case o.asJSON:
		return printJSON(std.out, summary)
	case o.quiet:
		return nil
	}
	return o.summarise(std, &summary, time.Since(start))
}

// check refuses what could only go wrong later.
func (o *synthOptions) check() error {
	switch {
	case o.premises < 1 || o.premises > fixtures.MaxPremises:
		return usagef("--premises %d: want 1 to %d", o.premises, fixtures.MaxPremises)
	case o.newBuilds < 0 || o.newBuilds > 0.5:
		return usagef("--new-builds %v: want a share from 0 to 0.5", o.newBuilds)
	case o.outcomes < 0 || o.outcomes > fixtures.MaxPremises:
		return usagef("--outcomes %d: want 0 to %d", o.outcomes, fixtures.MaxPremises)
	case o.falseYes < 0 || o.falseYes > 1 || o.falseNo < 0 || o.falseNo > 1:
		return usagef("--false-yes %v --false-no %v: want shares from 0 to 1", o.falseYes, o.falseNo)
	case o.night < 0:
		return usagef("--night %d: want 0 or more", o.night)
	case o.format != "" && o.register == "":
		return usagef("--register-format without --register")
	}
	if _, err := index.ParseDay(o.asOf); err != nil {
		return usagef("--as-of: %w", err)
	}
	entries, err := os.ReadDir(o.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 && !o.force {
		return fmt.Errorf("%s is not empty; choose another folder, or write over it with --force", o.out)
	}
	return err
}

// fromOut is a path as the manifest has it, which is relative to its folder.
func (o *synthOptions) fromOut(path string) string {
	if path == "" {
		return ""
	}
	from, err := filepath.Abs(o.out)
	if err != nil {
		return path
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(from, to); err == nil {
		return filepath.ToSlash(rel)
	}
	return to
}

// locator tells the Region of a position as the build of the extracts will.
func (o *synthOptions) locator() (func(geo.LatLng) geo.Region, error) {
	land, err := loader.IndicativeRegions()
	if o.regions != "" {
		land, _, err = loader.Regions(o.regions)
	}
	if err != nil {
		return nil, err
	}
	day, err := index.ParseDay(o.asOf)
	if err != nil {
		return nil, err
	}
	b, err := index.NewBuilder(land, index.Options{AsOf: day})
	if err != nil {
		return nil, err
	}
	return func(p geo.LatLng) geo.Region { return b.Locate(p).Region }, nil
}

// registerWalk is what happened on a walk over a register.
type registerWalk struct {
	rejected int64
	first    error // of the rejected rows
	err      error // that ended the walk
}

// places yields a register's live postcodes, each once, with their Regions.
func (w *registerWalk) places(ctx context.Context, path string, format loader.Format, locate func(geo.LatLng) geo.Region) iter.Seq[fixtures.Place] {
	return func(yield func(fixtures.Place) bool) {
		seen := map[geo.Postcode]bool{}
		for e, err := range loader.Register(path, format) {
			if _, bad := errors.AsType[*loader.Reject](err); bad {
				if w.rejected++; w.first == nil {
					w.first = err
				}
				continue
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				w.err = err
				return
			}
			if e.Status() != index.Live || seen[e.Postcode] {
				continue
			}
			seen[e.Postcode] = true
			p := fixtures.Place{Postcode: e.Postcode}
			if e.At.IsValid() {
				p.At = e.At.LatLng()
				p.Region = locate(p.At)
			}
			if !yield(p) {
				return
			}
		}
	}
}

func (o *synthOptions) summarise(std stdio, s *fixtures.Summary, took time.Duration) error {
	t := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	n := func(v int) string { return countText(int64(v)) }
	fmt.Fprintf(t, "as of\t%s\n", s.AsOf)
	fmt.Fprintf(t, "premises\t%s at %s postcodes\n", n(s.Premises), n(s.Postcodes))
	fmt.Fprintf(t, "new builds\t%s premises at %s postcodes, in no extract\n", n(s.NewBuildPremises), n(s.NewBuildPostcodes))
	fmt.Fprintf(t, "without\tUPRN %s, postcode %s, location %s\n", n(s.WithoutUPRN), n(s.WithoutPostcode), n(s.WithoutLocation))
	fmt.Fprintf(t, "\nRegion\tpremises\tavailable\tplanned\ton any network\n")
	for _, r := range s.Regions {
		whole := int64(r.Premises)
		fmt.Fprintf(t, "%s\t%s\t%.2f %%\t%.2f %%\t%.2f %%\n", r.Region, n(r.Premises),
			percent(int64(r.Available), whole), percent(int64(r.Planned), whole), percent(int64(r.Any), whole))
	}
	fmt.Fprintf(t, "\nextract\tkind\tfiles\trows\tbytes\n")
	for _, e := range s.Extracts {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", e.CSP, e.Kind, e.Files, n(e.Rows), bytesText(e.Bytes))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.Outcomes > 0 {
		fmt.Fprintf(std.out, "\n%s outcomes of installations in %s\n", n(s.Outcomes), filepath.Join(o.out, "outcomes.csv.zst"))
	}
	fmt.Fprintf(std.out, "\nwritten to %s in %s; build it with\n  coverd build --manifest %s --out coverd.snap\n",
		o.out, tookText(took), filepath.Join(o.out, "coverd.toml"))
	return nil
}
