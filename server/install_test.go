package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"coverd/index"
	"coverd/server/api"
	"coverd/server/licence"
	"coverd/server/requests"
)

// install asks about the licence.
func install(t *testing.T, s *Server, query string) api.InstallAndLeaveAnswer {
	t.Helper()
	a := get[api.InstallAndLeaveAnswer](t, s, "/v1/install-and-leave?"+query, 200)
	if len(a.Rules) != 3 || a.Rules[0].Rule != "49.8(c)" || a.Rules[1].Rule != "49.9" || a.Rules[2].Rule != "49.10" || a.Note == "" {
		t.Fatalf("%+v", a)
	}
	for _, r := range a.Rules {
		if r.Conclusion == "" || r.Text == "" || r.Asks == "" {
			t.Errorf("%+v", r)
		}
	}
	return a
}

func conclusions(a api.InstallAndLeaveAnswer) (list [3]string) {
	for i, r := range a.Rules {
		list[i] = r.Conclusion
	}
	return list
}

// Days of the questions. What is remembered begins on 22 November 2026, as do the
// 30 days before the Applicable Date.
const (
	usualDays  = "&installation_date=2026-12-05&cut_off=2028-01-01"
	applicable = "&applicable_date=2026-12-22"
)

func TestInstallAndLeave(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	for _, c := range []struct {
		name, query string
		want        [3]string
	}{
		{"available", "uprn=990061391234" + usualDays + applicable, [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"}},
		{"padded", "uprn=000990061391234" + usualDays, [3]string{"does_not_apply", "does_not_arise", "no_applicable_date"}},
		{"by its postcode and address", "postcode=gu11aa&address=12" + usualDays, [3]string{"does_not_apply", "does_not_arise", "no_applicable_date"}},
		{"the only one of its postcode", "postcode=GU1+3AA" + usualDays, [3]string{"does_not_apply", "does_not_arise", "no_applicable_date"}},
		{"no claim that counts", "uprn=990000000003" + usualDays + applicable, [3]string{"does_not_apply", "does_not_arise", "not_indicated"}},
		{"before what is remembered", "uprn=990061391234&installation_date=2026-11-21&cut_off=2028-01-01" + applicable, [3]string{"not_known", "ended", "indicated_but_not_ascertained"}},
		{"a location", "latitude=51.24937&longitude=-0.549301" + usualDays + applicable, [3]string{"not_known", "has_not_ended", "not_known"}},
		{"a location on the grid", "easting=499049&northing=150522" + usualDays, [3]string{"not_known", "has_not_ended", "no_applicable_date"}},
	} {
		a := install(t, s, c.query)
		if got := conclusions(a); got != c.want {
			t.Errorf("%s: %v, want %v: %+v", c.name, got, c.want, a.Rules)
		}
		if located := strings.HasPrefix(c.name, "a location"); located != (a.Premises == nil) || located != (a.History == nil) || located != (a.Outcome == api.LocationResolved) {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	a := install(t, s, "uprn=990061391234"+usualDays)
	if a.Query.CheckDate.V.String() != "2026-12-01" || a.History.From.V != testDay || a.History.To.V.String() != "2026-12-01" || a.Premises.Postcode.V != mustPostcode("GU1 1AA") {
		t.Errorf("%+v, %+v, %+v", a.Query, a.History, a.Premises)
	}
}

// A receipt that is handed in is the check that 49.10 asks for; from one day to
// the next, as the licensee would.
func TestInstallAndLeaveWithReceipts(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	const premises = "uprn=990061391234" + usualDays + applicable
	_, early, _ := askReceipt(t, s, "/v1/premises/990061391234?on=2026-12-05")
	now = time.Date(2026, 12, 18, 9, 0, 0, 0, time.UTC)
	_, inTime, _ := askReceipt(t, s, "/v1/premises/990061391234?on=2026-12-22")
	_, other, _ := askReceipt(t, s, "/v1/premises/990000000005?on=2026-12-22")
	_, whole, _ := askReceipt(t, s, "/v1/postcodes/GU11AA?on=2026-12-22")
	_, narrow, _ := askReceipt(t, s, "/v1/postcodes/GU11AA?on=2026-12-22&address=12")
	_, north, _ := askReceipt(t, s, "/v1/premises/990061391234?on=2026-12-22&network=North")
	_, outcode, _ := askReceipt(t, s, "/v1/outcodes/GU1?on=2026-12-22")
	_, estimate, _ := askReceipt(t, s, "/v1/postcodes/GU1%201AB?on=2026-12-22")
	for _, c := range []struct {
		name, receipt, want string
	}{
		{"none", "", api.LicenceIndicatedOnly},
		{"of the premises", inTime, api.LicenceAscertained},
		{"about another day, with no end of coverage", early, api.LicenceAscertained},
		{"of another premises", other, api.LicenceIndicatedOnly},
		{"of the postcode, whose premises differ", whole, api.LicenceAscertained},
		{"of the postcode and address", narrow, api.LicenceAscertained},
		{"of a network without coverage", north, api.LicenceIndicatedOnly},
		{"of the outcode", outcode, api.LicenceIndicatedOnly},
		{"of an estimate", estimate, api.LicenceIndicatedOnly},
		{"several", other + "," + narrow, api.LicenceAscertained},
	} {
		query := premises
		if c.receipt != "" {
			query += "&receipt=" + url.QueryEscape(c.receipt)
		}
		a := install(t, s, query)
		if r := a.Rules[2]; r.Conclusion != c.want || len(a.Checks) != strings.Count(c.receipt, ",")+min(1, len(c.receipt)) {
			t.Errorf("a receipt %s: %s, want %s: %+v, %+v", c.name, r.Conclusion, c.want, r, a.Checks)
		}
	}
	for _, bad := range []string{inTime[:len(inTime)-1], "x", "1", inTime + ",", "," + inTime, early + "." + early} {
		if p := problem(t, s, "/v1/install-and-leave?"+premises+"&receipt="+url.QueryEscape(bad), api.InvalidReceipt); p.Parameter != "receipt" {
			t.Errorf("%+v", p)
		}
	}
	// A location has no history, but what was checked there.
	const location = "latitude=51.24937&longitude=-0.549301" + usualDays + applicable
	_, area, _ := askReceipt(t, s, "/v1/locations?latitude=51.24937&longitude=-0.549301&on=2026-12-22")
	if a := install(t, s, location+"&receipt="+area); a.Rules[2].Conclusion != api.LicenceAscertained || string(a.Checks[0].Basis) != licence.BasisArea {
		t.Errorf("%+v", a)
	}
	_, outside, _ := askReceipt(t, s, "/v1/locations?latitude=51.2453&longitude=-0.5823&on=2026-12-22")
	if a := install(t, s, "latitude=51.2453&longitude=-0.5823"+usualDays+applicable+"&receipt="+outside); a.Rules[2].Conclusion != api.LicenceNotKnown || a.Checks[0].Counts {
		t.Errorf("%+v", a)
	}
}

// A service request is a check on record: of the premises that it found, or of
// the place where an area was claimed to be covered.
func TestInstallAndLeaveReadsTheRecord(t *testing.T) {
	now := clockAt(time.Date(2026, 12, 10, 8, 0, 0, 0, time.UTC))
	s := keeping(t, Options{Now: now.now})
	const location = "latitude=51.24937&longitude=-0.549301" + usualDays + applicable
	const ours = "&party=Supplier"
	ask := func(body string) string {
		return submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, body[:len(body)-1]+`,"party":"Supplier"}`, "", 201).Reference
	}
	inside := ask(`{"latitude":51.24937,"longitude":-0.549301,"installation_date":"2026-12-22"}`)
	beside := ask(`{"latitude":51.24947,"longitude":-0.549301,"installation_date":"2026-12-22"}`)
	p, _ := s.Snapshot().UPRN(990061391234)
	at := p.At().LatLng()
	found := ask(fmt.Sprintf(`{"latitude":%f,"longitude":%f,"postcode":"GU1 1AA","installation_date":"2026-12-22"}`, at.Lat, at.Lng))

	now.set(time.Date(2026, 12, 18, 9, 0, 0, 0, time.UTC))
	a := install(t, s, "uprn=990061391234"+usualDays+applicable+ours)
	if a.Rules[2].Conclusion != api.LicenceAscertained || len(a.Checks) != 1 || a.Checks[0].Reference != found || !a.Checks[0].Counts {
		t.Errorf("%+v", a)
	}
	for _, whose := range []string{"", "&party=Another"} {
		if a := install(t, s, "uprn=990061391234"+usualDays+applicable+whose); a.Rules[2].Conclusion != api.LicenceIndicatedOnly || len(a.Checks) > 0 {
			t.Errorf("%q: %+v", whose, a)
		}
	}
	a = install(t, s, location+ours)
	counts := map[string]bool{}
	for _, c := range a.Checks {
		counts[c.Reference] = c.Counts
	}
	if a.Rules[2].Conclusion != api.LicenceAscertained || !maps.Equal(counts, map[string]bool{inside: true, beside: false}) {
		t.Errorf("%v: %+v", counts, a)
	}
	// It was about that day, and is too old for another.
	if a := install(t, s, "uprn=990061391234"+usualDays+"&applicable_date=2026-12-23"+ours); a.Rules[2].Conclusion == api.LicenceAscertained {
		t.Errorf("%+v", a)
	}

	// What may have been deleted since is not taken for never made.
	for keep, want := range map[int]string{0: api.LicenceIndicatedOnly, 30: api.LicenceIndicatedOnly, 29: api.LicenceChecksUnavailable} {
		s := keeping(t, Options{RequestsKeep: keep, Now: now.now})
		if a := install(t, s, "uprn=990061391234"+usualDays+"&applicable_date="+now.now().Format(time.DateOnly)+ours); a.Rules[2].Conclusion != want {
			t.Errorf("kept for %d days: %+v, want %s", keep, a.Rules[2], want)
		}
	}

	s = keeping(t, Options{Requests: lost{}, Now: now.now})
	a = install(t, s, "uprn=990061391234"+usualDays+applicable+ours)
	if a.Rules[2].Conclusion != api.LicenceChecksUnavailable || a.Rules[0].Conclusion != api.LicenceDoesNotApply {
		t.Errorf("%+v", a)
	}
}

// What was claimed of a neighbour, which the extracts had before the premises
// itself, is no check of the premises.
func TestInstallAndLeaveDoesNotTakeTheNeighbour(t *testing.T) {
	now := time.Date(2026, 12, 10, 8, 0, 0, 0, time.UTC)
	s := keeping(t, Options{Now: func() time.Time { return now }})
	s.Swap(snapshotWith(t)) // UPRN 1 at 51.2453, -0.5822
	const body = `{"latitude":51.24543,"longitude":-0.5822,"installation_date":"2026-12-22","party":"Supplier"}`
	r := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, body, "", 201)
	s.Swap(snapshotWith(t, index.Row{UPRN: 2, Postcode: mustPostcode("GU1 1AA"), At: at(51.24543, -0.5822)}))
	until(t, "an answer about UPRN 2", func() bool {
		r = *r2(t, s, r.Reference)
		return r.Coverage.UPRN.V == 2
	})
	if r.History[0].Coverage.UPRN.V != 1 {
		t.Fatalf("%+v", r)
	}
	for uprn, want := range map[string]string{"1": api.LicenceAscertained, "2": api.LicenceIndicatedOnly} {
		if a := install(t, s, "uprn="+uprn+usualDays+applicable+"&party=Supplier"); a.Rules[2].Conclusion != want {
			t.Errorf("UPRN %s: %+v, want %s", uprn, a, want)
		}
	}
}

// lost is a ledger that cannot be opened.
type lost struct{}

func (lost) String() string { return "nowhere" }

func (lost) Open(context.Context, func(requests.Commit)) (requests.Ledger, error) {
	return nil, errors.New("the disk is gone")
}

func TestInstallAndLeaveProblems(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	for query, want := range map[string][2]string{
		"":                               {api.MalformedDate, "installation_date"},
		"installation_date=2026-12-05":   {api.MalformedDate, "cut_off"},
		usualDays[1:]:                    {api.MalformedParameter, ""},
		"uprn=1&postcode=GU11AA":         {api.MalformedParameter, ""},
		"uprn=1&latitude=51":             {api.MalformedParameter, ""},
		"uprn=x":                         {api.MalformedUPRN, "uprn"},
		"uprn=42":                        {api.UnknownUPRN, "uprn"},
		"postcode=GU1+IAA":               {api.MalformedPostcode, "postcode"},
		"postcode=GU11AB":                {api.NoPremisesFound, "postcode"},
		"postcode=ZE10AA":                {api.UnknownPostcode, "postcode"},
		"postcode=GU11AA":                {api.SeveralPremises, "address"},
		"postcode=GU11AA&address=77":     {api.SeveralPremises, "address"},
		"latitude=51":                    {api.MalformedCoordinate, ""},
		"latitude=-0.5&longitude=51":     {api.MalformedCoordinate, "latitude"},
		"latitude=48&longitude=2":        {api.OutsideGreatBritain, ""},
		"uprn=990061391234&on=2026-12-1": {api.UnknownParameter, "on"},
		"uprn=990061391234&check_date=2026-12-02":           {api.MalformedDate, "check_date"},
		"uprn=990061391234&check_date=2026-13-02":           {api.MalformedDate, "check_date"},
		"uprn=990061391234&applicable_date=tomorrow":        {api.MalformedDate, "applicable_date"},
		"uprn=990061391234&check_date=2026-12-01&limit=100": {api.UnknownParameter, "limit"},
	} {
		if strings.Contains(query, "uprn") || strings.Contains(query, "postcode") || strings.Contains(query, "latitude") {
			query += usualDays
		}
		if p := problem(t, s, "/v1/install-and-leave?"+query, want[0]); p.Parameter != want[1] {
			t.Errorf("%s: %+v", query, p)
		}
	}
	now = time.Date(2026, 12, 18, 9, 0, 0, 0, time.UTC)
	problem(t, s, "/v1/install-and-leave?uprn=990061391234&check_date=2026-12-06"+usualDays, api.MalformedDate) // after the installation
	p := problem(t, s, "/v1/install-and-leave?postcode=GU11AA"+usualDays, api.SeveralPremises)
	if len(p.Suggestions) != 5 || p.Suggestions[0].Kind != "address" || p.Suggestions[0].Text != "12" || p.Suggestions[0].Reason != "UPRN 990061391234" {
		t.Errorf("%+v", p.Suggestions)
	}
}

// What the last of three nights says that the others indicated is what they say
// themselves.
func TestInstallAndLeaveRemembers(t *testing.T) {
	nights := nightsInARow(t)
	last := nightServer(t, nights[2])
	seen := map[string]bool{}
	for night, snap := range nights[:2] {
		s := nightServer(t, snap)
		day := testDay + index.Day(night)
		for i := range 41 {
			query := fmt.Sprintf("uprn=%d&installation_date=2026-11-25&cut_off=2026-12-20&check_date=%s", 990000000000+i, day)
			if status, _, _ := last.Answer("GET", "/v1/install-and-leave?"+query); status == 404 {
				continue
			}
			got := install(t, last, query).Rules[0]
			seen[got.Reason] = true
			if status, _, _ := s.Answer("GET", "/v1/install-and-leave?"+query); status == 404 {
				if got.Reason != api.ReasonNoSuchPremises {
					t.Errorf("%s: %+v", query, got)
				}
				continue
			}
			want := install(t, s, query).Rules[0]
			if got.Conclusion != want.Conclusion || got.Reason != want.Reason || got.Text != want.Text || got.Working[1].Text != want.Working[1].Text || got.Working[1].State != want.Working[1].State {
				t.Errorf("%s:\n%+v\n%+v", query, got, want)
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("nothing but %v is seen", seen)
	}
	// One that has gone is remembered too.
	a := install(t, last, "uprn=990000000032&installation_date=2026-11-25&cut_off=2026-12-20&check_date=2026-11-22&applicable_date=2026-12-22")
	if a.Rules[0].Conclusion == api.LicenceNotKnown || a.Premises.AddressIdentifier != "32" || a.History.From.V != testDay {
		t.Errorf("%+v", a)
	}
	if r := a.Rules[2]; !strings.Contains(r.Working[len(r.Working)-1].Text, "knew no such premises") {
		t.Errorf("%+v", r)
	}
	byAddress := install(t, last, "postcode=GU1+1AA&address=32&installation_date=2026-11-25&cut_off=2026-12-20&check_date=2026-11-22&applicable_date=2026-12-22")
	if byAddress.Premises.UPRN.V != 990000000032 || byAddress.Rules[2].Text != a.Rules[2].Text {
		t.Errorf("%+v", byAddress)
	}
}
