package generations

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
)

// pointerName is the file that says which generation is active.
const pointerName = "generations.json"

// pointerFormat is the version of that file.
const pointerFormat = 1

// maxPointer bounds what is read of it: some thousand generations.
const maxPointer = 1 << 20

// pointer is what the file says. Names in it may be of files that are gone,
// but for the active one's.
type pointer struct {
	Format    int      `json:"format"`
	Active    string   `json:"active"`    // "": none yet
	Before    []string `json:"before"`    // were active before, the last one first: a stack
	Withdrawn []string `json:"withdrawn"` // were rolled back from
	Last      int64    `json:"last"`      // the highest sequence ever used, as of this writing
	Checksum  string   `json:"checksum"`  // of the file with this empty
}

// ErrPointer says that the pointer file is damaged, missing, or names a
// generation that is not there. The operator must say which generation is to be
// active: Activate mends it.
var ErrPointer = errors.New("it is not known which generation is active")

// mend tells the operator how.
const mend = "look with 'coverd snapshots list', then say which it is: 'coverd snapshots activate NAME'"

func pointerError(fsys files, format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s; %s", fsys.path(pointerName), ErrPointer, fmt.Sprintf(format, args...), mend)
}

// encode writes the pointer's one form.
func (p pointer) encode() []byte {
	p.Format, p.Checksum = pointerFormat, ""
	plain := p.marshal()
	p.Checksum = fmt.Sprintf("%08x", crc32.Checksum(plain, crc32.MakeTable(crc32.Castagnoli)))
	return p.marshal()
}

func (p pointer) marshal() []byte {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err) // strings and numbers
	}
	return append(b, '\n')
}

// readPointer returns fs.ErrNotExist if there is none, and ErrPointer if it is
// damaged. A bit that flips must not name another generation, so that the file
// is taken only if it is what encode writes.
func readPointer(fsys files) (p pointer, err error) {
	f, err := fsys.open(pointerName)
	if err != nil {
		return pointer{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPointer+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return pointer{}, err
	}
	switch err := json.Unmarshal(b, &p); {
	case err != nil:
		return pointer{}, pointerError(fsys, "damaged: %v", err)
	case p.Format != pointerFormat:
		return pointer{}, pointerError(fsys, "it has format %d, this program reads %d", p.Format, pointerFormat)
	case !bytes.Equal(b, p.encode()):
		return pointer{}, pointerError(fsys, "damaged: its checksum is another")
	}
	for _, name := range slices.Concat([]string{p.Active}, p.Before, p.Withdrawn) {
		if _, ok := parseName(name); !ok && name != "" {
			return pointer{}, pointerError(fsys, "%q is not the name of a generation", name)
		}
	}
	return p, nil
}

// writePointer puts the file in place, without the names of files that are
// gone. list is the directory as it is.
func writePointer(fsys files, p pointer, list []Generation) error {
	gone := func(name string) bool {
		return !slices.ContainsFunc(list, func(g Generation) bool { return g.Name == name })
	}
	p.Before = slices.DeleteFunc(slices.Concat([]string{}, p.Before), gone)
	p.Withdrawn = slices.DeleteFunc(slices.Concat([]string{}, p.Withdrawn), gone)
	p.Last = lastSequence(p, list)
	write := func(w io.Writer) error {
		_, err := w.Write(p.encode())
		return err
	}
	_, err := place(fsys, lockedTemp, write, named(pointerName))
	return err
}

// lastSequence is the highest sequence that was ever used.
func lastSequence(p pointer, list []Generation) int64 {
	last := p.Last
	for _, g := range list {
		last = max(last, g.Sequence)
	}
	return last
}

// look reads the directory: the pointer first, so that what it names cannot have
// been too new for the list. With an ErrPointer the list is there all the same.
func look(fsys files) (p pointer, list []Generation, err error) {
	p, bad := readPointer(fsys)
	missing := errors.Is(bad, fs.ErrNotExist)
	if bad != nil && !missing && !errors.Is(bad, ErrPointer) {
		return p, nil, bad
	}
	names, err := fsys.list()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, nil, err
	}
	for _, name := range names {
		g, ok := parseName(name)
		if !ok {
			continue
		}
		g.Bytes, err = fsys.size(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned since
		} else if err != nil {
			return p, nil, err
		}
		list = append(list, g)
	}
	slices.SortFunc(list, newestFirst)
	p.states(list)
	switch {
	case missing && len(list) > 0:
		return p, list, pointerError(fsys, "it is not there, and generations are")
	case missing:
		return p, nil, nil
	case bad == nil && p.Active != "" && !slices.ContainsFunc(list, func(g Generation) bool { return g.State == Active }):
		return p, list, pointerError(fsys, "%s is active, and its file is not there", p.Active)
	}
	return p, list, bad
}

// states gives each generation its state.
func (p *pointer) states(list []Generation) {
	at := map[string]*Generation{}
	for i := range list {
		at[list[i].Name] = &list[i]
	}
	next := Previous
	for _, name := range p.Before {
		if g := at[name]; g != nil {
			g.State, next = next, Old
		}
	}
	for _, name := range p.Withdrawn {
		if g := at[name]; g != nil {
			g.State = Withdrawn
		}
	}
	if g := at[p.Active]; g != nil {
		g.State = Active
	}
}
