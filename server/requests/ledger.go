package requests

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"coverd/geo"
	"coverd/index"
)

// Ledger keeps service requests. It is safe for concurrent use. What it returns
// without an error from a method that writes is durable. Errors are of type
// [Error], but for those named and those of ctx; after one of ctx it is not known
// whether anything was written.
type Ledger interface {
	// Add keeps a request and its first answer, under a reference of its own.
	// Where its idempotency key has been used for the same request, it returns
	// that one, added being false; for another, [ErrKeyReused].
	Add(ctx context.Context, r *Request, first *Answer) (rec *Record, added bool, err error)
	// Cancel closes a request, unless it is closed already, closed being false then;
	// [ErrNotFound].
	Cancel(ctx context.Context, ref Reference, at time.Time) (rec *Record, closed bool, err error)
	// Reanswer keeps further answers to open requests, and moves these on as
	// [Next] says. An answer to a request that has been closed or answered
	// otherwise since it was read is passed over.
	Reanswer(ctx context.Context, answers []Reanswer) ([]Event, error)
	// Expire closes requests whose time is over on a day (see [ExpiredOn]), as
	// many as limit.
	Expire(ctx context.Context, today index.Day, at time.Time, limit int) ([]Event, error)
	// Forget deletes the oldest events, up to the first that did not happen before
	// a time, and with the closing of a request the request and its answers. It
	// stops after as many rows as limit, or with the request in which it gets there.
	Forget(ctx context.Context, before time.Time, limit int) (Forgotten, error)
	// Deleted returns the time up to which closed requests have been deleted, by the
	// latest call of Forget that found some: all that were closed since are there.
	// It is the zero time if none ever was.
	Deleted(ctx context.Context) (before time.Time, err error)

	// Get returns a request with all its answers; [ErrNotFound].
	Get(ctx context.Context, ref Reference) (*Record, error)
	// List returns requests, the newest first, each with its last answer;
	// [ErrNotFound] where there is none to list those after.
	List(ctx context.Context, f *Filter) ([]*Record, error)
	// Outdated returns open requests whose last answer is not of a snapshot, by
	// ID and after one, the oldest first, each with its last answer.
	Outdated(ctx context.Context, snapshot string, after int64, limit int) ([]*Record, error)
	// Events returns what has happened after an event, the oldest first;
	// [ErrCursor], [ErrForgotten]. It begins with the first that is kept if after is
	// negative. from is the event that they come after, whether or not it is kept.
	Events(ctx context.Context, after int64, limit int) (list []Event, from int64, err error)
	// Checks returns the answers that were given to who made a request, at times in
	// [from, to], the oldest first. That it was answered again shows nobody that the
	// party looked.
	Checks(ctx context.Context, place Place, from, to time.Time) ([]Check, error)
	// Count counts requests by status.
	Count(ctx context.Context) (map[Status]int64, error)

	Close() error
}

var (
	// ErrNotFound is that no request has the reference.
	ErrNotFound = errors.New("no such service request")
	// ErrKeyReused is that an idempotency key belongs to a request that is
	// another one.
	ErrKeyReused = errors.New("the idempotency key was used for another request")
	// ErrCursor is that there has been no such event yet: it is of another ledger,
	// or of this one before it was put back from an older copy.
	ErrCursor = errors.New("there has been no such event yet")
	// ErrForgotten is that not all is kept that has happened after an event.
	ErrForgotten = errors.New("what happened after it has been deleted")
)

// Request is what a party asks. Strings are "" where it did not say.
type Request struct {
	// Key is the idempotency key. Same tells whether two requests with the same
	// key are the same.
	Key  string
	Same [sha256.Size]byte

	Party        string
	Role         string // user role: one of [Roles]
	OwnReference string // the party's
	Postcode     geo.Postcode
	Outcode      geo.Outcode // that of the postcode, where that is known
	At           geo.LatLng
	Installation index.Day // 0: not known yet
}

// Roles are the user roles that may ask (DUIS Service Request 12.1).
var Roles = []string{"IS", "ES", "GS", "RSA", "ED", "GT", "OU"}

// Answer is what matters of an answer, and the answer itself.
type Answer struct {
	At       time.Time
	Snapshot string // its ID
	AsOf     index.Day
	On       index.Day // the day asked about

	Region      geo.Region // NoRegion: over 2 km off Great Britain by this snapshot's boundaries
	RegionBasis string
	Border      float64 // metres to the nearest land of another Region; −1: over 5 km

	// InExtracts tells that the extracts have the place: the postcode asked about
	// has premises, or there is one at the location. UPRN is that of the premises
	// that the answer is taken from, 0 where there is none or it has none.
	InExtracts bool
	UPRN       geo.UPRN

	State     index.State
	Basis     string // of the state; "premises" where it is a CSP's own claim
	From      index.Day
	Network   index.NetworkRegion // to fit for; NoNetwork where there is nothing to fit
	Variant   string
	Auxiliary string

	Receipt string // "": none
	// Body is the whole answer as JSON. It is kept of the first answer, of each
	// that was told as an event, and of the last.
	Body []byte
}

// Record is a request as it stands.
type Record struct {
	ID        int64 // in the order in which they were acknowledged
	Reference Reference
	Request
	Created time.Time
	Status  Status
	Closed  time.Time // zero: it is open
	Why     string    // it was closed
	Answers int       // how many there are
	Given   []Answer  // answers, the oldest first; the last alone in lists
}

// Last is the last answer.
func (r *Record) Last() *Answer { return &r.Given[len(r.Given)-1] }

// Reanswer is another answer to a request that was read.
type Reanswer struct {
	Record *Record
	Answer Answer
}

// Event is something that has happened to a request.
type Event struct {
	ID        int64 // in the order in which they became durable
	At        time.Time
	Reference Reference
	Party     string
	Own       string // the party's own reference
	Was       Status // "": there was no such request
	Status    Status
	Changes   []Change // of coverage or Region
	Why       string   // it was closed
	Answer    Answer   // the last one by then, without its body
}

// Filter narrows a list; what is zero does not.
type Filter struct {
	Status       Status
	Open         bool // those that are not closed
	Party        string
	OwnReference string
	Postcode     geo.Postcode
	Outcode      geo.Outcode
	Region       geo.Region
	Since, Until time.Time // created in [Since, Until)
	After        Reference // only those before it were created, in the order of the list
	Limit        int
}

// Place narrows checks: exactly one of UPRN, Postcode and At is given.
type Place struct {
	UPRN     geo.UPRN
	Postcode geo.Postcode
	At       geo.LatLng
	Within   float64 // metres around At
	Party    string  // whose checks; "": anybody's
}

// Check is an answer that somebody was given, as proof.
type Check struct {
	Reference           string
	At                  time.Time
	Snapshot            string
	AsOf                index.Day
	UPRN                geo.UPRN // of the premises that answered it, then or, where that was asked for, later
	Postcode            geo.Postcode
	Latitude, Longitude float64
	On                  index.Day
	State               index.State
	Basis               string // of the state, as of an [Answer]
	From                index.Day
}
