package api

// InstallAndLeaveAnswer answers GET /v1/install-and-leave: what the database
// and the checks on record show for standard condition 49.8(c), 49.9 and 49.10
// of the supply licence.
type InstallAndLeaveAnswer struct {
	Query    InstallAndLeaveQuery `json:"query"`
	Outcome  string               `json:"outcome"`  // premises_found or location_resolved
	Premises *LicencePremises     `json:"premises"` // null for a location
	// History are the known days that are remembered of the premises; null for a
	// location, of which none are.
	History *KnownDays     `json:"history"`
	Rules   []LicenceRule  `json:"rules"` // 49.8(c), 49.9, 49.10
	Checks  []LicenceCheck `json:"checks"`
	// Note says what is left to the reader.
	Note     string      `json:"note"`
	Snapshot SnapshotRef `json:"snapshot"`
}

// InstallAndLeaveQuery repeats the question, days filled in.
type InstallAndLeaveQuery struct {
	UPRN             UPRN         `json:"uprn,omitzero"`
	Postcode         PostcodeText `json:"postcode,omitzero"`
	Address          Text         `json:"address,omitempty"`
	Latitude         Number       `json:"latitude,omitzero"`
	Longitude        Number       `json:"longitude,omitzero"`
	InstallationDate Date         `json:"installation_date"`
	CutOff           Date         `json:"cut_off"`
	CheckDate        Date         `json:"check_date"`
	ApplicableDate   Date         `json:"applicable_date"` // null: not stated
	Party            Text         `json:"party,omitempty"` // whose service requests are checks on record
}

// LicencePremises names the premises.
type LicencePremises struct {
	UPRN              UPRN         `json:"uprn"`
	Postcode          PostcodeText `json:"postcode"`
	AddressIdentifier Text         `json:"address_identifier"`
	Latitude          Degrees      `json:"latitude"`
	Longitude         Degrees      `json:"longitude"`
}

// KnownDays are days on which the database was read, both included.
type KnownDays struct {
	From Date `json:"from"`
	To   Date `json:"to"`
}

// LicenceRule is what became of one paragraph.
type LicenceRule struct {
	Rule       string `json:"rule"` // 49.8(c), 49.9 or 49.10
	Asks       string `json:"asks"` // the paragraph as it is read here
	Conclusion string `json:"conclusion"`
	Reason     string `json:"reason,omitempty"` // which of several leads to the conclusion
	Text       string `json:"text"`             // the conclusion, as a sentence
	// Ended is the day from which the exception has ended (49.9), EndedBy the day
	// by which it has at the latest, Expected that which the database gives now.
	Ended    Date `json:"ended,omitzero"`
	EndedBy  Date `json:"ended_by,omitzero"`
	Expected Date `json:"expected,omitzero"`
	// WindowFrom and WindowTo are the 30 days of 49.10.
	WindowFrom Date          `json:"window_from,omitzero"`
	WindowTo   Date          `json:"window_to,omitzero"`
	Working    []LicenceStep `json:"working"`
}

// LicenceStep is a fact that a conclusion rests on, as a sentence and as data.
type LicenceStep struct {
	Text string `json:"text"`
	// Known and KnownTo are the days on which the database was read, On the day
	// that it was read about.
	Known    Date   `json:"known,omitzero"`
	KnownTo  Date   `json:"known_to,omitzero"`
	On       Date   `json:"on,omitzero"`
	State    string `json:"state,omitempty"`
	From     Date   `json:"from,omitzero"`  // the first day of coverage
	Until    Date   `json:"until,omitzero"` // the last
	Snapshot string `json:"snapshot,omitempty"`
	Check    string `json:"check,omitempty"` // the reference of a recorded check
}

// LicenceCheck is a recorded check, and whether it is one that 49.10 asks for.
type LicenceCheck struct {
	Reference string `json:"reference"`
	At        string `json:"at"`  // RFC 3339, in London
	Day       Date   `json:"day"` // in London
	On        Date   `json:"on"`
	State     Text   `json:"state"` // null: it does not tell of this premises alone
	From      Date   `json:"from"`
	Until     Date   `json:"until"`
	Basis     Text   `json:"basis"`
	Snapshot  string `json:"snapshot"`
	Counts    bool   `json:"counts"`
	Text      string `json:"text"` // why, or why not
}

// Conclusions of a LicenceRule.
const (
	LicenceApplies      = "applies"        // 49.8(c)
	LicenceDoesNotApply = "does_not_apply" // 49.8(c)

	LicenceEnded        = "ended"          // 49.9: on Ended, or by EndedBy
	LicenceHasNotEnded  = "has_not_ended"  // 49.9
	LicenceDoesNotArise = "does_not_arise" // 49.9: there is no exception to end

	LicenceAscertained       = "ascertained"                   // 49.10: the licensee must act
	LicenceIndicatedOnly     = "indicated_but_not_ascertained" // 49.10: it need not
	LicenceNotIndicated      = "not_indicated"                 // 49.10: it need not
	LicenceNotBegun          = "not_begun"                     // 49.10: the 30 days lie ahead
	LicenceNoApplicableDate  = "no_applicable_date"            // 49.10: none was stated
	LicenceNotKnown          = "not_known"                     // any: what is remembered does not reach back
	LicenceChecksUnavailable = "checks_unavailable"            // 49.10: the record of checks cannot be read
)

// Reasons of a LicenceRule.
const (
	ReasonAfterCutOff         = "installation_not_before_cut_off"
	ReasonAvailable           = "available_on_installation_date"
	ReasonBeforeCutOff        = "available_before_cut_off"
	ReasonNotBeforeCutOff     = "not_available_before_cut_off"
	ReasonNoDate              = "no_date_of_availability"
	ReasonNoClaim             = "no_claim"
	ReasonNoSuchPremises      = "no_such_premises"
	ReasonBeforeHistory       = "before_history"
	ReasonNoHistoryOfPlace    = "no_history_of_location"
	ReasonNoException         = "no_exception"
	ReasonInstallationAhead   = "installation_ahead"
	ReasonWindowStillOpen     = "window_still_open"
	ReasonPartlyNotRemembered = "partly_before_history"
)
