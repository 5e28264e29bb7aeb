package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
	"coverd/server/requests"
)

// Members of the body of a service request: those that are parameters of other
// questions too, and are read as those are, and those that are texts.
const (
	memberPostcode     = "postcode"
	memberOutcode      = "outcode"
	memberInstallation = "installation_date"
	memberParty        = "party"
	memberRole         = "role"
	memberOwnReference = "own_reference"
)

// coordinates are members that are numbers.
var coordinates = map[string]parameter{
	"latitude": paramLatitude, "longitude": paramLongitude, "easting": paramEasting, "northing": paramNorthing,
}

var members = []string{
	"latitude", "longitude", "easting", "northing", "grid_reference", memberPostcode, memberOutcode, memberInstallation, memberParty, memberRole, memberOwnReference,
}

const (
	maxText = 100 // characters of party and own reference
	maxKey  = 200 // bytes of an idempotency key

	// An installation date lies at most so many days from today: in the past as
	// long as a request stays open after it, so that it can be made at all.
	installationPast   = requests.CloseAfterInstallation
	installationFuture = 10 * 366
)

// installable reports whether a day can be an installation date.
func installable(day, today index.Day) bool {
	return day >= today-installationPast && day <= today+installationFuture
}

// readBody reads a service request, of which nothing is passed over in silence.
// It leaves the location where [scratch.where] looks. With ok false the problem
// has been answered.
func (q *scratch) readBody() (r requests.Request, ok bool) {
	texts, ok := q.bodyMembers()
	if !ok {
		return r, false
	}
	if s, given := texts["grid_reference"]; given {
		q.given |= 1 << paramGridReference
		q.values[paramGridReference] = []byte(s)
	}
	if s, given := texts[memberPostcode]; given {
		p, err := geo.ParsePostcode(s)
		if err != nil {
			q.codeProblem(err, api.MalformedPostcode, memberPostcode, geo.SuggestPostcodeFunc(s, q.exists))
			return r, false
		}
		r.Postcode, r.Outcode = p, p.Outcode()
	}
	if s, given := texts[memberOutcode]; given {
		o, err := geo.ParseOutcode(s)
		if err != nil {
			q.codeProblem(err, api.MalformedOutcode, memberOutcode, geo.SuggestOutcode(s))
			return r, false
		}
		if r.Outcode.IsValid() && r.Outcode != o {
			q.malformedMember(memberOutcode, o.String()+" is not the outcode of "+r.Postcode.String(), "leave it out, the postcode has it")
			return r, false
		}
		r.Outcode = o
	}
	if s, given := texts[memberInstallation]; given {
		if r.Installation, ok = q.installation(s); !ok {
			return r, false
		}
	}
	if s, given := texts[memberRole]; given {
		if r.Role = strings.ToUpper(s); !slices.Contains(requests.Roles, r.Role) {
			q.malformedMember(memberRole, strconv.Quote(clip(s))+" is not a user role", "the user roles are "+list(requests.Roles, "and"))
			return r, false
		}
	}
	r.Party, r.OwnReference = texts[memberParty], texts[memberOwnReference]
	return r, true
}

func (q *scratch) installation(s string) (day index.Day, ok bool) {
	day, err := index.ParseDay(s)
	if err != nil {
		q.problem(api.Problem{Code: api.MalformedDate, Parameter: memberInstallation, Detail: err.Error(), Hint: "give the day of installation as YYYY-MM-DD, or leave it out"})
		return 0, false
	}
	if !installable(day, q.day.day) {
		q.problem(api.Problem{
			Code: api.MalformedDate, Parameter: memberInstallation,
			Detail: day.String() + " is over " + strconv.Itoa(installationPast) + " days ago or ten years ahead: today is " + q.day.day.String(),
			Hint:   "give the day on which the hub is to be installed, or leave it out where there is none yet; what was said about a day in the past is answered at /v1/locations with on=" + day.String(),
		})
		return 0, false
	}
	return day, true
}

// bodyMembers takes the body apart: a JSON object of numbers and strings. Numbers
// are left where parameters are, strings returned. What is null is not there.
func (q *scratch) bodyMembers() (texts map[string]string, ok bool) {
	body := q.ctx.Request.Body()
	const hint = `send one JSON object, such as {"latitude": 51.245279, "longitude": -0.582312, "installation_date": "2026-12-24"}`
	malformed := func(detail string) {
		q.problem(api.Problem{Code: api.MalformedBody, Detail: detail, Hint: hint})
	}
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		malformed("there is no body")
		return nil, false
	case !utf8.Valid(body):
		malformed("the body is not UTF-8")
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		malformed("the body is not a JSON object")
		return nil, false
	}
	texts = map[string]string{}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		name, isText := key.(string)
		if err != nil || !isText {
			malformed("the body is not JSON: " + syntax(err, d.InputOffset()))
			return nil, false
		}
		if !slices.Contains(members, name) {
			q.problem(api.Problem{
				Code: api.UnknownMember, Parameter: clip(name), Detail: strconv.Quote(clip(name)) + " is not a member of a service request",
				Hint: "the members are " + list(members, "and"),
			})
			return nil, false
		}
		if seen[name] {
			q.malformedMember(name, "it is given twice", "give it once")
			return nil, false
		}
		seen[name] = true
		value, err := d.Token()
		if err != nil {
			malformed("the body is not JSON: " + syntax(err, d.InputOffset()))
			return nil, false
		}
		if !q.member(texts, name, value) {
			return nil, false
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		malformed("the body is not JSON: " + syntax(err, d.InputOffset()))
		return nil, false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		malformed("something follows the JSON object")
		return nil, false
	}
	return texts, true
}

// member takes a member of the body down.
func (q *scratch) member(texts map[string]string, name string, value json.Token) bool {
	at, isNumber := coordinates[name]
	switch v := value.(type) {
	case nil:
		return true
	case json.Number:
		if !isNumber {
			q.malformedMember(name, "it is a number, and has to be a string", "put it in quotation marks")
			return false
		}
		q.given |= 1 << at
		q.values[at] = []byte(v)
		return true
	case string:
		if isNumber {
			q.malformedMember(name, "it is a string, and has to be a number", "leave out the quotation marks")
			return false
		}
		if fault, hint := textFault(v); fault != "" {
			q.malformedMember(name, fault, hint)
			return false
		}
		texts[name] = v
		return true
	}
	kind := "a string"
	if isNumber {
		kind = "a number"
	}
	q.malformedMember(name, "it is neither "+kind+" nor null", "give "+kind+", or leave it out")
	return false
}

// textFault says what is wrong with a text, if anything is.
func textFault(s string) (fault, hint string) {
	switch {
	case s == "":
		return "it is empty", "leave it out, or make it null"
	case utf8.RuneCountInString(s) > maxText:
		return "it has more than " + strconv.Itoa(maxText) + " characters", "shorten it"
	case strings.TrimSpace(s) != s:
		return "it begins or ends with space", "leave that out"
	}
	for _, c := range s {
		if !unicode.IsPrint(c) || c == utf8.RuneError {
			return "there is a character in it that cannot be printed: " + strconv.QuoteRuneToASCII(c), "leave that out"
		}
	}
	return "", ""
}

// syntax says where JSON goes wrong.
func syntax(err error, at int64) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return e.Error() + ", at byte " + strconv.FormatInt(at, 10)
	}
	return "it ends or breaks off at byte " + strconv.FormatInt(at, 10)
}

func (q *scratch) malformedMember(name, detail, hint string) {
	q.problem(api.Problem{Code: api.MalformedMember, Parameter: name, Detail: detail, Hint: hint})
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// idempotencyKey reads the header; "" where there is none.
func (q *scratch) idempotencyKey() (key string, ok bool) {
	all := q.ctx.Request.Header.PeekAll(headerIdempotencyKey)
	if len(all) == 0 {
		return "", true
	}
	key = string(all[0])
	detail := ""
	switch {
	case len(all) > 1:
		detail = "it is given twice"
	case key == "":
		detail = "it is empty"
	case len(key) > maxKey:
		detail = "it has more than " + strconv.Itoa(maxKey) + " bytes"
	case strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' }):
		detail = "there is a space in it, or a character that is not of ASCII"
	default:
		return key, true
	}
	q.problem(api.Problem{
		Code: api.MalformedIdempotencyKey, Parameter: headerIdempotencyKey, Detail: detail,
		Hint: "make one of each request, such as a UUID, and send it again with each retry of that request",
	})
	return "", false
}

const headerIdempotencyKey = "Idempotency-Key"

// sameness is a digest of what a request asks, by which two with the same key are
// told to be the same: however its JSON was written, and whatever notation its
// location had.
func sameness(r *requests.Request) (digest [sha256.Size]byte) {
	var b []byte
	for _, s := range []string{r.Party, r.Role, r.OwnReference, r.Postcode.String(), r.Outcode.String()} {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.At.Lat))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.At.Lng))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Installation))
	return sha256.Sum256(b)
}
