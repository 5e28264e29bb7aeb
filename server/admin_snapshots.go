package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"time"

	"coverd/index"
	"coverd/index/generations"
)

// handleSnapshots adds what is to be seen of snapshots, and to be done.
func (s *Server) handleSnapshots(mux *http.ServeMux) {
	mux.HandleFunc("GET /snapshots", s.listSnapshots)
	for path, do := range map[string]func(w http.ResponseWriter, r *http.Request){
		"/snapshots/reload":         s.reloadSnapshot,
		"/snapshots/rollback":       s.rollbackSnapshot,
		"/snapshots/{key}/activate": s.activateSnapshot,
	} {
		mux.HandleFunc("POST "+path, do)
	}
}

// servedSnapshot is the snapshot that is answered from.
type servedSnapshot struct {
	Name     string    `json:"name,omitempty"`     // of the file or generation
	Sequence int64     `json:"sequence,omitempty"` // of a generation
	ID       string    `json:"id"`
	AsOf     index.Day `json:"as_of"`
	AgeDays  int       `json:"age_days"`
	Stale    bool      `json:"stale,omitempty"`
}

func (s *Server) served() servedSnapshot {
	h := s.snap.Load()
	now, today := s.clock.read()
	ref := h.refAt(now, today.day)
	return servedSnapshot{h.offer.Name, h.offer.Sequence, ref.ID, ref.AsOf.V, ref.AgeDays, ref.Stale}
}

// refusedSnapshot is one that should be answered from and cannot be.
type refusedSnapshot struct {
	Name     string    `json:"name"`
	Reason   string    `json:"reason"`
	Detail   string    `json:"detail"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`
}

// snapshotList answers GET /snapshots. Source and generations are null where
// there are none.
type snapshotList struct {
	Served      servedSnapshot   `json:"served"`
	Source      *string          `json:"source"`
	Generations []listedSnapshot `json:"generations"` // newest first
	Problem     string           `json:"problem,omitempty"`
	Refused     *refusedSnapshot `json:"refused"`
}

type listedSnapshot struct {
	generations.Generation
	Served bool `json:"served"`
}

func (s *Server) listSnapshots(w http.ResponseWriter, _ *http.Request) {
	answer := snapshotList{Served: s.served()}
	if s.reloads == nil {
		writeJSON(w, http.StatusOK, &answer)
		return
	}
	answer.Source = new(s.reloads.source.String())
	if r := s.reloads.refused.Load(); r != nil {
		answer.Refused = &refusedSnapshot{r.offer.Name, r.reason, r.err.Error(), r.since, r.attempts}
	}
	if dir, ok := s.reloads.source.(*DirSource); ok {
		list, err := dir.dir.List()
		if err != nil {
			answer.Problem = err.Error()
		}
		for _, g := range list {
			answer.Generations = append(answer.Generations, listedSnapshot{g, g.Name == answer.Served.Name})
		}
	}
	writeJSON(w, http.StatusOK, &answer)
}

// done answers the questions that change something.
type done struct {
	Result string         `json:"result"` // unchanged, swapped or refused
	Detail string         `json:"detail,omitempty"`
	Served servedSnapshot `json:"served"` // now
	Took   float64        `json:"took_seconds"`
}

// reloadSnapshot looks for another snapshot, and answers when that is done.
func (s *Server) reloadSnapshot(w http.ResponseWriter, r *http.Request) {
	if s.reloads == nil {
		http.Error(w, "this server's snapshot has no source to look at", http.StatusNotImplemented)
		return
	}
	begin := time.Now()
	result, err := s.reloads.look(r.Context(), true)
	s.tell(w, begin, result, err)
}

func (s *Server) activateSnapshot(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	s.change(w, r, func(l *generations.Lock) (generations.Generation, error) { return l.Activate(key) })
}

func (s *Server) rollbackSnapshot(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, (*generations.Lock).Rollback)
}

// change has another generation made the active one, and serves it.
func (s *Server) change(w http.ResponseWriter, r *http.Request, to func(*generations.Lock) (generations.Generation, error)) {
	var dir *DirSource
	if s.reloads != nil {
		dir, _ = s.reloads.source.(*DirSource)
	}
	if dir == nil {
		http.Error(w, "this server was given one file, which has no generations: start it with --snapshots DIR to have them; "+
			"to go back, rename the file before over it and POST /snapshots/reload", http.StatusNotImplemented)
		return
	}
	begin := time.Now()
	result, err := s.reloads.change(r.Context(), dir, to)
	s.tell(w, begin, result, err)
}

// tell answers what was done.
func (s *Server) tell(w http.ResponseWriter, begin time.Time, result string, err error) {
	answer := done{Result: result, Served: s.served(), Took: time.Since(begin).Seconds()}
	status := http.StatusOK
	if err != nil {
		answer.Result, answer.Detail = lookRefused, err.Error()
		status = statusOf(err)
	}
	writeJSON(w, status, &answer)
}

// statusOf is that of an answer why nothing was done.
func statusOf(err error) int {
	switch {
	case errors.Is(err, generations.ErrLocked), errors.Is(err, generations.ErrNoPrevious):
		return http.StatusConflict
	case errors.Is(err, generations.ErrUnknown):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return http.StatusForbidden
	}
	return http.StatusUnprocessableEntity
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // whoever asked has gone
}

// readyz tells whether questions should be sent here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	h := s.snap.Load()
	now, today := s.clock.read()
	var reasons []string
	if s.draining.Load() {
		reasons = append(reasons, "draining: told to stop")
	}
	if h.stale(now) {
		reasons = append(reasons, fmt.Sprintf("the data is older than %v: it is of %v, and that day began %v ago", s.maxDataAge, h.ref.AsOf.V, s.ageOf(h).Truncate(time.Minute)))
	}
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if !r.URL.Query().Has("verbose") {
		if len(reasons) == 0 {
			fmt.Fprintln(w, "ready")
		} else {
			fmt.Fprintf(w, "not ready: %s\n", strings.Join(reasons, "; "))
		}
		return
	}
	fmt.Fprintf(w, "%s snapshot %s as of %v, %d days old\n", mark(!h.stale(now)), h.ref.ID, h.ref.AsOf.V, h.refAt(now, today.day).AgeDays)
	if s.reloads != nil {
		s.reloads.tellReady(w)
	}
	if s.desk != nil {
		s.desk.tellReady(w)
	}
	for _, reason := range reasons {
		fmt.Fprintf(w, "%s %s\n", mark(false), reason)
	}
	if len(reasons) == 0 {
		fmt.Fprintf(w, "%s answering\n", mark(true))
	}
}

// tellReady tells what is to be said of the source: nothing of that makes a
// server less ready.
func (r *reloader) tellReady(w http.ResponseWriter) {
	refused := r.refused.Load()
	looked := "never yet"
	if at := r.looked.Load(); at != 0 {
		looked = time.Unix(0, at).UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(w, "%s source %s, last found to be served: %s\n", mark(refused == nil), r.source, looked)
	if refused != nil {
		fmt.Fprintf(w, "%s refused since %s (%s): %v; the snapshot before is served on\n", mark(false), refused.since.UTC().Format(time.RFC3339), refused.reason, refused.err)
	}
}

func mark(ok bool) string {
	if ok {
		return "[+]"
	}
	return "[-]"
}
