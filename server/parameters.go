package server

import (
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// parameter is one of the query parameters there are.
type parameter uint8

const (
	paramOn parameter = iota
	paramAddress
	paramNetwork
	paramLatitude
	paramLongitude
	paramEasting
	paramNorthing
	paramGridReference
	paramLimit
	paramRadius
	paramAfter
	paramSince
	paramOutcode
	paramKnown
	paramIndicatedSince
	paramFrom
	paramTo
	paramReceipt
	paramUPRN
	paramPostcode
	paramInstallationDate
	paramCutOff
	paramCheckDate
	paramApplicableDate
	paramExplain
	paramStatus
	paramParty
	paramOwnReference
	paramRegion
	paramUntil
	parameterCount
)

var parameterNames = [parameterCount]string{
	"on", "address", "network", "latitude", "longitude", "easting", "northing", "grid_reference", "limit", "radius", "after", "since", "outcode",
	"known", "indicated_since", "from", "to",
	"receipt", "uprn", "postcode", "installation_date", "cut_off", "check_date", "applicable_date",
	"explain",
	"status", "party", "own_reference", "region", "until",
}

type parameterSet uint64

// parameters are those of a request, as given.
type parameters struct {
	given  parameterSet
	values [parameterCount][]byte

	explain bool // the answer is asked for with its explanation
}

// Bounds of parameters.
const (
	defaultNearest = 10
	maxNearest     = index.MaxNearest
	maxRadius      = 50_000 // metres; also the default
	maxPage        = 500    // things listed inside an outcode or sector
	defaultPage    = 100
)

// parse reads the query string, of which nothing is passed over in silence: a
// misspelt `on` would answer another question than was asked. It reports
// whether all is well; else the problem has been answered.
func (q *scratch) parse(takes parameterSet) bool {
	for name, value := range q.ctx.QueryArgs().All() {
		p := parameter(0)
		for p < parameterCount && parameterNames[p] != string(name) {
			p++
		}
		switch {
		case p == parameterCount || !takes.has(p):
			problem := api.Problem{Code: api.UnknownParameter, Parameter: string(name), Detail: strconv.Quote(string(name)) + " is not a parameter here"}
			if names := takes.names(); len(names) > 0 {
				problem.Hint = "the parameters here are " + list(names, "and")
			} else {
				problem.Hint = "there are no parameters here"
			}
			q.problem(problem)
			return false
		case q.given.has(p):
			q.problem(api.Problem{Code: api.MalformedParameter, Parameter: parameterNames[p], Detail: "it is given twice", Hint: "give it once"})
			return false
		}
		q.given |= 1 << p
		q.values[p] = value
	}
	if q.given.has(paramOn) {
		day, err := index.ParseDay(q.values[paramOn])
		if err != nil {
			q.problem(api.Problem{Code: api.MalformedDate, Parameter: "on", Detail: err.Error(), Hint: "give the day asked about as YYYY-MM-DD, or leave it out for today"})
			return false
		}
		q.on = day
	}
	if q.given&knownDays != 0 && !q.parseKnown() {
		return false
	}
	return !q.given.has(paramExplain) || q.parseExplain()
}

// date reads a day; the zero day where it was not given.
func (q *scratch) date(p parameter) (d index.Day, ok bool) {
	if !q.given.has(p) {
		return 0, true
	}
	d, err := index.ParseDay(q.values[p])
	if err != nil {
		q.problem(api.Problem{Code: api.MalformedDate, Parameter: parameterNames[p], Detail: err.Error(), Hint: "give a day as YYYY-MM-DD"})
	}
	return d, err == nil
}

// network reads `network`; letter case does not matter.
func (q *scratch) network() (n index.NetworkRegion, ok bool) {
	if !q.given.has(paramNetwork) {
		return index.NoNetwork, true
	}
	text := strings.TrimSpace(string(q.values[paramNetwork]))
	for n := index.NetworkNorth; int(n) < index.Networks; n++ {
		if strings.EqualFold(text, n.String()) {
			return n, true
		}
	}
	_, err := index.ParseNetworkRegion(text)
	q.problem(api.Problem{Code: api.MalformedParameter, Parameter: "network", Detail: err.Error(), Hint: "leave it out for all networks"})
	return index.NoNetwork, false
}

// count reads `limit`.
func (q *scratch) count(fallback, most int) (n int, ok bool) {
	if !q.given.has(paramLimit) {
		return fallback, true
	}
	n, err := fasthttp.ParseUint(q.values[paramLimit])
	if err != nil || n < 1 || n > most {
		q.problem(api.Problem{
			Code: api.MalformedParameter, Parameter: "limit", Detail: strconv.Quote(string(q.values[paramLimit])) + " is not a number from 1 to " + strconv.Itoa(most),
			Hint: "leave it out for " + strconv.Itoa(fallback),
		})
		return 0, false
	}
	return n, true
}

// radius reads `radius`.
func (q *scratch) radius() (metres float64, ok bool) {
	if !q.given.has(paramRadius) {
		return maxRadius, true
	}
	metres, err := geo.ParseMetres(q.values[paramRadius])
	if err != nil || !(metres > 0 && metres <= maxRadius) {
		q.problem(api.Problem{
			Code: api.MalformedParameter, Parameter: "radius", Detail: strconv.Quote(string(q.values[paramRadius])) + " is not a distance in metres over 0 and up to 50000",
			Hint: "leave it out for 50 km",
		})
		return 0, false
	}
	return metres, true
}
