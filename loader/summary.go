package loader

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"coverd/index"
)

// Summary tells what came of a build. It is the same whatever the number of
// cores.
type Summary struct {
	AsOf    index.Day       `json:"as_of"`
	Sources []SourceSummary `json:"sources"` // regions, registers, extracts, as the manifest has them

	Rows            int64 `json:"rows"`      // of all extracts
	Accepted        int64 `json:"accepted"`  // of these, in the snapshot
	Rejected        int64 `json:"rejected"`  // of these, quarantined, conflicts included
	Corrected       int64 `json:"corrected"` // of the accepted, as a person has corrected them
	Premises        int64 `json:"premises"`
	Areas           int64 `json:"areas"`
	Merged          int64 `json:"merged"`            // rows that said the same as another
	Conflicts       int64 `json:"conflicts"`         // premises and network regions without a claim because of one
	RegionMismatch  int64 `json:"region_mismatches"` // claims on a network region of another Region than the premises'
	FutureDates     int64 `json:"future_dates"`      // claims that are available, and say from when in the future
	WithoutLocation int64 `json:"without_location"`  // premises
	WithoutPostcode int64 `json:"without_postcode"`  // premises
	WithoutUPRN     int64 `json:"without_uprn"`      // premises
	NotInRegister   int64 `json:"not_in_register"`   // postcodes of premises that no register holds
	NotInExtracts   int64 `json:"not_in_extracts"`   // live postcodes without premises: the new-build lag

	Warnings []string  `json:"warnings"`
	Refusals []Refusal `json:"refusals"` // none: the snapshot was made
}

// SourceSummary tells what came of one source.
type SourceSummary struct {
	index.Source
	Pattern   string         `json:"path"`                // as the manifest has it
	Reasons   map[Code]int64 `json:"reasons"`             // rejected rows by reason
	Allowed   int64          `json:"allowed"`             // rejected rows that would be let pass
	Corrected int64          `json:"corrected,omitempty"` // accepted rows that a person has corrected
	OutOfArea int64          `json:"out_of_area,omitempty"`
	Marks     int64          `json:"conflict_marks,omitempty"`      // accepted rows that claim nothing: see claims_conflict
	Unlocated int64          `json:"without_coordinates,omitempty"` // register rows
	Repeated  int64          `json:"repeated,omitempty"`            // register rows that say what an earlier one does
	Differing int64          `json:"differing,omitempty"`           // register rows of a postcode that an earlier one has otherwise
	Warnings  []string       `json:"warnings,omitempty"`
	Rejects   []Reject       `json:"rejects,omitempty"` // the first few
}

// maxShown is how many rejects of a source its summary holds.
const maxShown = 10

// A Refusal is one reason why no snapshot was made.
type Refusal struct {
	Source   string `json:"source"` // a path as the manifest has it, or what else the gate judged
	Gate     string `json:"gate"`   // as EXTRACTS.md lists them
	Msg      string `json:"message"`
	Look     string `json:"look,omitempty"`     // how to look closer
	Override string `json:"override,omitempty"` // for the manifest, to let it pass this once; "": it cannot be
}

// A RefusedError says why no snapshot was made: the data is at fault, not the
// machine.
type RefusedError struct{ Refusals []Refusal }

func (e *RefusedError) Error() string {
	s := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		s[i] = r.Msg
	}
	return "build refused: " + strings.Join(s, "; ")
}

// readyMade are the overrides that would let a refused night pass: none if it
// cannot be.
func (s *Summary) readyMade() (manifest, flags string) {
	var tables, words []string
	for i := range s.Refusals {
		r := &s.Refusals[i]
		if r.Override == "" {
			return "", ""
		}
		tables = append(tables, r.Override)
		words = append(words, "--override", shellQuoted(r.Gate+"="+r.Source))
	}
	return strings.Join(tables, "\n"), strings.Join(words, " ")
}

// shellQuoted is a word as a shell takes it.
func shellQuoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// name is a source as a person calls it.
func (s *SourceSummary) name() string {
	parts := []string{s.Kind}
	if s.CSP != "" {
		parts = append(parts, s.CSP)
	}
	return strings.Join(append(parts, s.Pattern), " ")
}

// reject counts a rejected row and keeps the first few.
func (s *SourceSummary) reject(r *Reject) {
	s.Rejected++
	if s.Reasons == nil {
		s.Reasons = map[Code]int64{}
	}
	s.Reasons[r.Code]++
	if len(s.Rejects) < maxShown {
		s.Rejects = append(s.Rejects, *r)
	}
}

// allowed is how many rejected rows let a source pass.
func allowed(rows int64, share float64) int64 {
	return max(minAllowed, int64(share*float64(rows)))
}

// byReason lists rejected rows by reason, most first.
func (s *SourceSummary) byReason() string {
	codes := slices.SortedFunc(maps.Keys(s.Reasons), func(a, b Code) int {
		return cmp.Or(cmp.Compare(s.Reasons[b], s.Reasons[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(codes))
	for i, c := range codes {
		parts[i] = fmt.Sprintf("%s %s", thousands(s.Reasons[c]), c)
	}
	return strings.Join(parts, ", ")
}

// WriteText writes the summary for a person to read.
func (s *Summary) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("as of %v", s.AsOf)
	for i := range s.Sources {
		s.Sources[i].write(p)
	}
	if len(s.Refusals) == 0 {
		p.line("%s premises from %s rows: %s merged, %s rejected, %s in conflict; %s areas",
			thousands(s.Premises), thousands(s.Rows), thousands(s.Merged), thousands(s.Rejected), thousands(s.Conflicts), thousands(s.Areas))
		p.line("%s premises without location, %s without postcode, %s without UPRN",
			thousands(s.WithoutLocation), thousands(s.WithoutPostcode), thousands(s.WithoutUPRN))
		p.line("%s postcodes of premises in no register, %s live postcodes in no extract",
			thousands(s.NotInRegister), thousands(s.NotInExtracts))
	}
	for _, m := range s.Warnings {
		p.line("warning: %s", m)
	}
	for i := range s.Refusals {
		r := &s.Refusals[i]
		p.line("refused: %s: %s", r.Gate, r.Msg)
		if r.Look != "" {
			p.line("  to look closer: %s", r.Look)
		}
	}
	if ready, flags := s.readyMade(); ready != "" {
		p.line("\nTo let this pass, this once, build again with your name and the reason:\n\n  %s --by NAME --reason TEXT\n\nor put them into the manifest:\n\n%s", flags, ready)
	}
	return p.err
}

func (s *SourceSummary) write(p *printer) {
	p.line("%s: %s rows in %d files, %s accepted", s.name(), thousands(s.Rows), len(s.Files), thousands(s.Accepted))
	if s.Corrected > 0 {
		p.line("  %s corrected", thousands(s.Corrected))
	}
	if s.Rejected > 0 {
		p.line("  %s rejected (%s allowed): %s", thousands(s.Rejected), thousands(s.Allowed), s.byReason())
		for i := range s.Rejects {
			p.line("    %v", &s.Rejects[i])
		}
		if more := s.Rejected - int64(len(s.Rejects)); more > 0 {
			p.line("    and %s more", thousands(more))
		}
	}
	for _, n := range s.Notes {
		p.line("  %s", n)
	}
	for _, m := range s.Warnings {
		p.line("  warning: %s", m)
	}
}

// printer writes lines and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// thousands writes a count with its thousands apart.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
