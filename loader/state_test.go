package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

const dated = "uprn,latitude,longitude,network_region,coverage_availability,anticipated_coverage_date,coverage_end_date,wan_technology,wan_variant,connectivity_likelihood,auxiliary_equipment\n"

// Every claim, on the days around each of its dates. The extract describes
// 2026-11-22.
func TestStateOfClaim(t *testing.T) {
	for _, tt := range []struct {
		claim string // availability, anticipated, end
		days  string // day=state pairs
	}{
		{"true,,", "1999-01-01=available 2026-11-21=available 2026-11-22=available 2026-11-23=available 2099-12-31=available"},
		{"TRUE,,2026-12-31", "2026-11-22=available 2026-12-31=available 2027-01-01=unavailable 2099-01-01=unavailable"},
		{"true,,2026-11-22", "2026-11-22=available 2026-11-23=unavailable"},
		{"true,,2026-10-31", "2026-10-31=available 2026-11-01=unavailable"},
		{"true,2027-05-01,", "2026-11-22=available 2027-04-30=available 2027-05-01=available"}, // warned of
		{"true,2020-01-01,", "2019-01-01=available 2026-11-22=available"},
		{"true,2027-05-01,2027-01-01", "2027-01-01=available 2027-01-02=unavailable 2027-05-01=unavailable"},
		{"false,,", "2026-11-21=unavailable 2026-11-22=unavailable 2099-01-01=unavailable"},
		{"false,,2027-01-01", "2026-11-22=unavailable 2027-01-01=unavailable 2027-01-02=unavailable"},
		{"false,2027-02-15,", "2026-11-22=planned/2027-02-15 2027-02-14=planned/2027-02-15 2027-02-15=available/2027-02-15 2099-01-01=available/2027-02-15"},
		{"false,2026-11-23,", "2026-11-22=planned/2026-11-23 2026-11-23=available/2026-11-23"},
		{"false,2026-11-22,", "2026-11-21=unavailable/overdue 2026-11-22=unavailable/overdue 2026-11-23=unavailable/overdue"},
		{"false,2026-09-30,", "2026-09-01=unavailable/overdue 2026-11-22=unavailable/overdue"},
		{"false,2026-12-10,2027-06-30", "2026-12-09=planned/2026-12-10 2026-12-10=available/2026-12-10 2027-06-30=available/2026-12-10 2027-07-01=unavailable"},
		{"false,2027-01-01,2027-01-01", "2026-12-31=planned/2027-01-01 2027-01-01=available/2027-01-01 2027-01-02=unavailable"},
		{",,", "2026-11-22=unknown 2099-01-01=unknown"},
		{",2027-01-01,", "2026-11-22=unknown 2027-01-01=unknown"},
		{",,2026-12-31", "2026-12-31=unknown 2027-01-01=unavailable"},
	} {
		s, _ := premisesWorld("Telefonica", dated+"1,,,South,"+tt.claim+",,,,\n").build(t)
		p := byUPRN(t, s, 1)
		c, _ := p.Claims().At(0)
		for pair := range strings.FieldsSeq(tt.days) {
			text, want, _ := strings.Cut(pair, "=")
			on := day(t, text)
			st := c.On(on)
			got := st.State.String()
			if st.Overdue {
				got += "/overdue"
			} else if st.From != 0 {
				got += "/" + st.From.String()
			}
			if got != want || p.State(on) != st.State {
				t.Errorf("%s on %s: %s, premises %v, want %s", tt.claim, text, got, p.State(on), want)
			}
		}
	}
}

// The extract's own as-of tells a plan from a missed one.
func TestStateByOwnAsOf(t *testing.T) {
	const row = dated + "1,,,South,false,2026-11-22,,,,,\n"
	for asOf, want := range map[string]string{"2026-11-22": "unavailable", "2026-11-21": "available"} {
		s, _ := premisesWorld("Telefonica\nas_of = "+asOf, row).build(t)
		if got := byUPRN(t, s, 1).State(day(t, "2026-11-22")).String(); got != want {
			t.Errorf("as of %s: %s, want %s", asOf, got, want)
		}
	}
}

// The best of the claims that count, in the order available, planned, unknown,
// unavailable.
func TestStateOfPremises(t *testing.T) {
	const (
		yes   = "true,,,,,,"
		plan  = "false,2027-01-01,,,,,"
		empty = ",,,,,,"
		no    = "false,,,,,,"
		vwan  = "true,,,VWAN,,,"
		virt  = "true,,,virtual,,,"
	)
	for _, tt := range []struct {
		claims []string // network region, then the claim
		want   string
		asWAN  string // with counts_as_wan, if different
	}{
		{[]string{"South," + yes, "4G South," + no}, "available", ""},
		{[]string{"South," + no, "4G South," + yes}, "available", ""},
		{[]string{"South," + plan, "4G South," + empty}, "planned", ""},
		{[]string{"South," + empty, "4G South," + no}, "unknown", ""},
		{[]string{"South," + no, "4G South," + no}, "unavailable", ""},
		{[]string{"SMETS1," + yes}, "unknown", ""},
		{[]string{"Unknown," + yes}, "unknown", ""},
		{[]string{"SMETS1," + yes, "South," + no}, "unavailable", ""},
		{[]string{"Unknown," + yes, "South," + plan}, "planned", ""},
		{[]string{"South," + vwan}, "unknown", "available"},
		{[]string{"South," + virt}, "unknown", "available"},
		{[]string{"South," + vwan, "4G South," + no}, "unavailable", "available"},
		{[]string{"SMETS1," + vwan}, "unknown", ""},
	} {
		rows := "1,,," + strings.Join(tt.claims, "\n1,,,") + "\n"
		for _, counts := range []bool{false, true} {
			w := premisesWorld("Telefonica", dated+rows)
			w["coverd.toml"] = fmt.Sprintf("counts_as_wan = %v\n%s", counts, w["coverd.toml"])
			want := tt.want
			if counts && tt.asWAN != "" {
				want = tt.asWAN
			}
			s, _ := w.build(t)
			p := byUPRN(t, s, 1)
			if got := p.State(day(t, "2026-11-22")).String(); got != want {
				t.Errorf("%s, counts_as_wan %v: %s, want %s", tt.claims, counts, got, want)
			}
			if got, want := p.Claims().Len(), len(tt.claims); got != want {
				t.Errorf("%s: %d claims shown, want %d", tt.claims, got, want)
			}
		}
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name string
		rows []string // after uprn, latitude and longitude
		on   string
		want string // network region, variant, auxiliary equipment, from
	}{
		{"one", []string{"South,true,,,Cellular,SKU1,High,T2"}, "2026-11-22", "South SKU1 T2 "},
		{"state first", []string{"South,false,2027-03-31,,,,High,", "4G South,true,,,,,Low,"}, "2026-11-22", "4G South   "},
		{"unknown before unavailable", []string{"South,false,,,,,High,", "4G South,,,,,,,"}, "2026-11-22", "4G South   "},
		{"then the earliest plan", []string{"South,false,2027-03-31,,,,High,", "4G South,false,2027-02-28,,,,Low,"}, "2026-11-22", "4G South   2027-02-28"},
		{"then likelihood", []string{"North,true,,,,,Medium,", "South,true,,,,,High,", "4G North,true,,,,,Low,"}, "2026-11-22", "South   "},
		{"not stated is the worst", []string{"South,true,,,,,,", "4G North,true,,,,,Low,"}, "2026-11-22", "4G North   "},
		{"then prefer", []string{"North,true,,,,,High,", "4G South,true,,,,,High,", "4G Central,true,,,,,High,"}, "2026-11-22", "4G Central   "},
		{"likelihood before prefer", []string{"North,true,,,,,High,", "4G Central,true,,,,,Medium,"}, "2026-11-22", "North   "},
		{"then network region", []string{"4G North,true,,,,,High,", "South,true,,,,,High,", "North,true,,,,,High,"}, "2026-11-22", "North   "},
		{"never SMETS1, Unknown or VWAN", []string{"SMETS1,true,,,,,High,", "Unknown,true,,,,,High,", "North,true,,,VWAN,,High,", "South,false,,,,,,"}, "2026-11-22", "South   "},
		{"none that counts", []string{"SMETS1,true,,,,,High,"}, "2026-11-22", "none"},
		{"on another day another", []string{"South,true,,2026-12-31,,,High,", "4G South,false,2027-01-01,,,,Low,"}, "2027-01-01", "4G South   2027-01-01"},
	} {
		w := premisesWorld("Telefonica", dated+"1,,,"+strings.Join(tt.rows, "\n1,,,")+"\n")
		w["coverd.toml"] = "prefer = [\"4G Central\", \"4G South\"]\n" + w["coverd.toml"]
		s, _ := w.build(t)
		if got := showFit(byUPRN(t, s, 1), day(t, tt.on)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func showFit(p index.Premises, on index.Day) string {
	f, ok := p.Claims().Fit(on)
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%v %s %s %v", f.Claim.Network, f.Claim.Variant, f.Claim.Auxiliary, f.Status.From)
}

// The claims of areas count for state and fit.
func TestFitOfArea(t *testing.T) {
	s, _ := areasWorld(middle, "Arqiva", square(0.1, south("SKU2")+`,"connectivity_likelihood":"High"`)).build(t)
	p := byUPRN(t, s, 1)
	f, ok := p.Claims().Fit(day(t, "2026-11-22"))
	if !ok || f.Claim.Variant != "SKU2" || !f.FromArea {
		t.Errorf("fit %+v", f)
	}
}

// Claims that are there and give a date in the future are warned of.
func TestFutureDates(t *testing.T) {
	_, sum := premisesWorld("Telefonica", dated+"1,,,South,true,2026-11-23,,,,,\n2,,,South,true,2026-11-22,,,,,\n3,,,South,false,2026-11-23,,,,,\n").build(t)
	want := []string{
		"1 claims say that coverage is there, and give a date in the future",
		"no register: nothing is known of postcodes that are in no extract",
	}
	if diff := cmp.Diff(want, sum.Warnings); diff != "" || sum.FutureDates != 1 {
		t.Errorf("%d (-want +got):\n%s", sum.FutureDates, diff)
	}
}
