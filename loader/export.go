package loader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"coverd/index"
)

// ExportOptions say how a snapshot is written back as extracts.
type ExportOptions struct {
	// Packing of all files but the manifest; "" is PackZstd.
	Packing Packing
	// Progress is told of what is being done. It is never called concurrently.
	Progress func(Stage)
	// Workers is how many write side by side: by default as many as there are
	// cores. The files do not depend on it.
	Workers int
}

// Exported is what was written.
type Exported struct {
	Manifest string       `json:"manifest"` // its path
	Files    []index.File `json:"files"`    // all others, relative to it
	Rows     int64        `json:"rows"`     // of all extracts
}

// Export writes all the facts of a snapshot into a new or empty folder: a
// coverd.toml, and the extracts, the register and the Regions that it names.
// [Build] makes a snapshot of the same content digest from them, and its export
// is these files again, byte for byte.
//
// There is a premises extract for each CSP and as-of day, in the CSPs' order of
// precedence, and areas come in their order. What a build derives (claims lent
// by areas, Regions of premises, summaries) is not written, nor are the rows
// that were rejected: those that contradicted each other leave the mark
// `claims_conflict`.
func Export(ctx context.Context, s *index.Snapshot, dir string, o ExportOptions) (*Exported, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Packing = cmp.Or(o.Packing, PackZstd)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%s: there is something in it (%s): choose a new or empty folder", dir, there[0].Name())
	}
	e := &exporter{ctx: ctx, s: s, dir: dir, o: o}
	out, err := e.export()
	if err != nil {
		for _, f := range e.made { // an export is whole, or not there
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Path)))
		}
		return nil, err
	}
	return out, nil
}

// exporter is one export.
type exporter struct {
	ctx   context.Context
	s     *index.Snapshot
	dir   string
	o     ExportOptions
	plan  []*exportExtract
	marks bool // there are premises in conflict
	made  []index.File
}

// exportExtract is an extract to be written.
type exportExtract struct {
	kind     Kind
	csp      string
	asOf     index.Day
	sequence int64
	from, to int // areas
	rows     int64
	file     index.File
}

func (e *exporter) export() (*Exported, error) {
	e.plan = dropEmpty(e.s, planExport(e.s))
	if len(e.plan) == 0 {
		return nil, errors.New("there is nothing to export: the snapshot has neither premises nor areas")
	}
	for kind := range e.s.Kinds() {
		_, _, conflict := e.s.Kind(uint32(kind))
		e.marks = e.marks || conflict
	}
	for i, x := range e.plan {
		ext := ".csv"
		if x.kind == KindAreas {
			ext = ".geojsonl"
		}
		x.file.Path = fmt.Sprintf("%02d-%s-%s%s%s", i+1, slug(x.csp), x.kind, ext, e.o.Packing.suffix())
	}
	if err := e.premises(); err != nil {
		return nil, err
	}
	for _, x := range e.plan {
		if x.kind == KindAreas {
			if err := e.areas(x); err != nil {
				return nil, err
			}
		}
	}
	register, err := e.register()
	if err != nil {
		return nil, err
	}
	regions, err := e.regions()
	if err != nil {
		return nil, err
	}
	out := &Exported{Manifest: filepath.Join(e.dir, "coverd.toml")}
	for _, x := range e.plan {
		out.Files = append(out.Files, x.file)
		out.Rows += x.rows
	}
	if register != nil {
		out.Files = append(out.Files, *register)
	}
	out.Files = append(out.Files, regions)
	// Last, so that no folder looks whole that is not.
	return out, e.writeWhole("coverd.toml", exportManifest(e.s, e.plan, register, regions))
}

// slug is a name as part of a file's.
func slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	return cmp.Or(strings.Join(parts, "-"), "csp")
}

// claimant is who makes a claim, and as of when.
type claimant struct {
	csp  string
	asOf index.Day
}

func claimantOf(c *index.Claim) claimant { return claimant{c.CSP, c.AsOf} }

// planExport lists the extracts to write: those that the snapshot was made of,
// in their order, in which areas stand too. Claims that are of no source, if
// there are any, come behind.
func planExport(s *index.Snapshot) []*exportExtract {
	var plan []*exportExtract
	have := map[claimant]*exportExtract{}
	premises := func(c claimant, sequence int64) {
		if x, ok := have[c]; ok {
			x.sequence = max(x.sequence, sequence)
			return
		}
		x := &exportExtract{kind: KindPremises, csp: c.csp, asOf: c.asOf, sequence: sequence}
		have[c] = x
		plan = append(plan, x)
	}
	areas := int(s.Info().Areas)
	next := 0 // area
	run := func(c claimant, sequence int64, most int) {
		x := &exportExtract{kind: KindAreas, csp: c.csp, asOf: c.asOf, sequence: sequence, from: next}
		for next < areas && next-x.from < most {
			if a := s.Area(next); claimantOf(&a.Claim) != c {
				break
			}
			next++
		}
		x.to = next
		plan = append(plan, x)
	}
	for _, src := range s.Info().Sources {
		switch c := (claimant{src.CSP, src.AsOf}); Kind(src.Kind) {
		case KindPremises:
			premises(c, src.Sequence)
		case KindAreas:
			run(c, src.Sequence, int(src.Accepted))
		}
	}
	var others []claimant
	for code := range s.ClaimSets() {
		set := s.ClaimSet(uint32(code))
		for i := range set.Len() {
			if c, lent := set.At(i); !lent && have[claimantOf(c)] == nil {
				others = append(others, claimantOf(c))
			}
		}
	}
	slices.SortFunc(others, func(a, b claimant) int { return cmp.Or(cmp.Compare(a.csp, b.csp), cmp.Compare(a.asOf, b.asOf)) })
	for _, c := range others {
		premises(c, 0)
	}
	for next < areas {
		a := s.Area(next)
		run(claimantOf(&a.Claim), 0, areas)
	}
	return plan
}

// dropEmpty leaves out extracts with nothing in them, which a build may refuse;
// but one premises extract stays if there are premises, for their marks.
func dropEmpty(s *index.Snapshot, plan []*exportExtract) []*exportExtract {
	claims := map[claimant]bool{}
	for code := range s.ClaimSets() {
		set := s.ClaimSet(uint32(code))
		for i := range set.Len() {
			if c, lent := set.At(i); !lent {
				claims[claimantOf(c)] = true
			}
		}
	}
	keep := s.Info().Premises > 0 && len(claims) == 0
	return slices.DeleteFunc(plan, func(x *exportExtract) bool {
		if x.kind == KindAreas {
			return x.from == x.to
		}
		kept := keep
		keep = false
		return !kept && !claims[claimant{x.csp, x.asOf}]
	})
}

func (e *exporter) tell(stage string, done, total int) {
	if e.o.Progress != nil {
		e.o.Progress(Stage{Name: stage, Done: int64(done), Total: int64(total)})
	}
}
