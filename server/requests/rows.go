package requests

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"time"

	"coverd/geo"
	"coverd/index"
)

// Columns of the tables, in the order in which they are summed and scanned.
const (
	requestColumns = `id, reference, created, idempotency_key, same, party, role, own_reference, postcode, outcode, latitude, longitude, installation,
	status, closed, why, answers, region, snapshot, sum`
	answerColumns = `request, n, at, snapshot, as_of, on_day, region, region_basis, border, in_extracts, uprn, state, basis, from_day,
	network, variant, auxiliary, receipt, told, sum`
	eventColumns = `id, request, at, was, status, changes, why, answer, sum`
)

// requestRow is a row of table request: a record, and what it repeats of its last
// answer.
type requestRow struct {
	Record
	region, snapshot string
}

func (r *requestRow) values() []any {
	key := any(r.Key)
	if r.Key == "" {
		key = nil
	}
	return []any{
		r.ID, string(r.Reference), micros(r.Created), key, r.Same[:], r.Party, r.Role, r.OwnReference, codeText(r.Postcode), codeText(r.Outcode),
		r.At.Lat, r.At.Lng, int64(r.Installation), string(r.Status), micros(r.Closed), r.Why, int64(r.Answers), r.region, r.snapshot,
	}
}

// answerRow is a row of table answer, but for its body.
type answerRow struct {
	Answer
	request, n int64
	told       bool
}

func (r *answerRow) values() []any {
	return []any{
		r.request, r.n, micros(r.At), r.Snapshot, int64(r.AsOf), int64(r.On), r.Region.String(), r.RegionBasis, r.Border, truth(r.InExtracts),
		int64(r.UPRN), r.State.String(), r.Basis, int64(r.From), r.Network.String(), r.Variant, r.Auxiliary, r.Receipt, truth(r.told),
	}
}

// eventRow is a row of table event.
type eventRow struct {
	id, request, at int64
	was, status     string
	changes, why    string
	answer          int64
}

func (r *eventRow) values() []any {
	return []any{r.id, r.request, r.at, r.was, r.status, r.changes, r.why, r.answer}
}

// summed is a row's values with their sum.
func summed(values []any) []any { return append(values, sum(values)) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is a checksum of values, each with its kind and length, so that no two
// rows are told apart by where a text ends.
func sum(values []any) int64 {
	var b []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(v))
		case float64:
			b = binary.LittleEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
		case string:
			b = append(binary.LittleEndian.AppendUint32(append(b, 's'), uint32(len(v))), v...)
		case []byte:
			b = append(binary.LittleEndian.AppendUint32(append(b, 'b'), uint32(len(v))), v...)
		default:
			panic(fmt.Sprintf("a column of type %T", v))
		}
	}
	return int64(crc32.Checksum(b, castagnoli))
}

// scanner is a row of a result.
type scanner interface{ Scan(dest ...any) error }

// scan reads a row of n values and their sum, and whatever comes after into rest.
func scan(s scanner, table string, n int, rest ...any) ([]any, error) {
	values := make([]any, n+1)
	into := make([]any, n+1, n+1+len(rest))
	for i := range values {
		into[i] = &values[i]
	}
	if err := s.Scan(append(into, rest...)...); err != nil {
		return nil, err
	}
	if want, ok := values[n].(int64); !ok || sum(values[:n]) != want {
		return nil, damaged("a row of table %s does not have its checksum: %v", table, values[0])
	}
	return values[:n], nil
}

func columns(list string) int { return strings.Count(list, ",") } // but for the sum

var (
	requestWidth = columns(requestColumns)
	answerWidth  = columns(answerColumns)
	eventWidth   = columns(eventColumns)
)

// reader takes the values of a row one after the other. A row with its checksum
// has what was written, so that only another program's rows fail here.
type reader struct {
	values []any
	fault  error
}

func next[T any](r *reader) (v T) {
	v, ok := r.values[0].(T)
	if !ok && r.fault == nil {
		r.fault = damaged("a column holds a %T, where a %T belongs", r.values[0], v)
	}
	r.values = r.values[1:]
	return v
}

func (r *reader) int() int64      { return next[int64](r) }
func (r *reader) text() string    { return next[string](r) }
func (r *reader) real() float64   { return next[float64](r) }
func (r *reader) day() index.Day  { return index.Day(r.int()) }
func (r *reader) time() time.Time { return fromMicros(r.int()) }

func (r *reader) check(err error) {
	if err != nil && r.fault == nil {
		r.fault = damaged("a column holds what is none of its values: %v", err)
	}
}

func (r *reader) region() (v geo.Region) {
	if s := r.text(); s != "" {
		var err error
		v, err = geo.ParseRegion(s)
		r.check(err)
	}
	return v
}

func (r *reader) network() (v index.NetworkRegion) {
	if s := r.text(); s != "" {
		var err error
		v, err = index.ParseNetworkRegion(s)
		r.check(err)
	}
	return v
}

func (r *reader) state() index.State {
	s := r.text()
	i := slices.IndexFunc(index.States[:], func(st index.State) bool { return st.String() == s })
	if i < 0 {
		r.check(fmt.Errorf("%q is no state", s))
		return index.Unknown
	}
	return index.States[i]
}

// scanRequest reads the columns of a request.
func scanRequest(s scanner) (row requestRow, err error) {
	values, err := scan(s, "request", requestWidth)
	if err != nil {
		return row, err
	}
	r := &reader{values: values}
	row.ID, row.Reference, row.Created = r.int(), Reference(r.text()), r.time()
	if r.values[0] == nil {
		r.values = r.values[1:]
	} else {
		row.Key = r.text()
	}
	copy(row.Same[:], next[[]byte](r))
	row.Party, row.Role, row.OwnReference = r.text(), r.text(), r.text()
	if s := r.text(); s != "" {
		row.Postcode, err = geo.ParsePostcode(s)
		r.check(err)
	}
	if s := r.text(); s != "" {
		row.Outcode, err = geo.ParseOutcode(s)
		r.check(err)
	}
	row.At = geo.LatLng{Lat: r.real(), Lng: r.real()}
	row.Installation = r.day()
	row.Status, row.Closed, row.Why, row.Answers = Status(r.text()), r.time(), r.text(), int(r.int())
	row.region, row.snapshot = r.text(), r.text()
	return row, r.fault
}

// scanAnswer reads the columns of an answer, and rest.
func scanAnswer(s scanner, rest ...any) (row answerRow, err error) {
	values, err := scan(s, "answer", answerWidth, rest...)
	if err != nil {
		return row, err
	}
	r := &reader{values: values}
	row.request, row.n, row.At, row.Snapshot, row.AsOf, row.On = r.int(), r.int(), r.time(), r.text(), r.day(), r.day()
	row.Region, row.RegionBasis, row.Border = r.region(), r.text(), r.real()
	row.InExtracts, row.UPRN = r.int() != 0, geo.UPRN(r.int())
	row.State, row.Basis, row.From = r.state(), r.text(), r.day()
	row.Network, row.Variant, row.Auxiliary, row.Receipt = r.network(), r.text(), r.text(), r.text()
	row.told = r.int() != 0
	return row, r.fault
}

// scanEvent reads the columns of an event, and rest.
func scanEvent(s scanner, rest ...any) (row eventRow, err error) {
	values, err := scan(s, "event", eventWidth, rest...)
	if err != nil {
		return row, err
	}
	r := &reader{values: values}
	row = eventRow{r.int(), r.int(), r.int(), r.text(), r.text(), r.text(), r.text(), r.int()}
	return row, r.fault
}

// event is a row in the words of the package.
func (r *eventRow) event() (Event, error) {
	e := Event{ID: r.id, At: fromMicros(r.at), Was: Status(r.was), Status: Status(r.status), Why: r.why}
	if err := json.Unmarshal([]byte(r.changes), &e.Changes); err != nil {
		return e, damaged("event %d: %v", r.id, err)
	}
	return e, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func truth(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// codeText is a postcode or outcode, "" where there is none.
func codeText[C interface {
	IsValid() bool
	String() string
}](c C,
) string {
	if !c.IsValid() {
		return ""
	}
	return c.String()
}
