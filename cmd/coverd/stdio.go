package main

import (
	"cmp"
	"encoding/json"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// answers is standard output. It remembers the first error, so that no verb can
// end well without its answer having been written.
type answers struct {
	w   io.Writer
	err error
}

func (a *answers) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	a.err = cmp.Or(a.err, err)
	return n, err
}

// isTerminal reports whether w is a screen that somebody may be looking at.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// newLog writes for people on a terminal, for programs otherwise.
func newLog(w io.Writer) *slog.Logger {
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

// printJSON writes v for a program, in a shape that people can read too.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
