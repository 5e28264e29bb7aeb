package geo

import "strings"

// The habits of areas: they only ever make hints, for they break (SR43 is in
// use).
const (
	// areas are the 120 of Great Britain's addresses.
	areas = " AB AL B BA BB BD BH BL BN BR BS CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY " +
		"E EC EH EN EX FK FY G GL GU HA HD HG HP HR HS HU HX IG IP IV KA KT KW KY L LA LD LE LL LN LS LU " +
		"M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR " +
		"SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE "
	oneDigit     = " BR FY HA HD HG HR HS HX JE LD SM SR WC WN ZE "
	twoDigits    = " AB LL SO "
	districtZero = " BL BS CM CR FY HA PR SL SS "
	withLetter   = " E1W N1C N1P NW1W SE1P " // and any letter after those of:
	anyLetter    = " W1 WC1 WC2 EC1 EC2 EC3 EC4 SW1 "
)

func listed(list, word string) bool { return strings.Contains(list, " "+word+" ") }

// Hint says what is unusual about a well-formed outcode: its area is unknown
// or out of area, or its district breaks a habit of the area. It is "" if
// nothing is, and never a reason to refuse: habits change.
func (o Outcode) Hint() string {
	if !o.IsValid() {
		return ""
	}
	area, out := o.Area(), o.String()
	district := out[len(area):]
	if reason := outsideArea(area); reason != "" {
		return reason
	}
	switch {
	case !listed(areas, area):
		return "no postcode area " + area
	case isLetter(out[len(out)-1]):
		if !listed(withLetter, out) && !listed(anyLetter, out[:len(out)-1]) {
			return "a letter after the district is usual in central London only; " + out[:len(out)-1] + " has none"
		}
	case len(district) == 2 && listed(oneDigit, area):
		return area + " usually has only single-digit districts"
	case len(district) == 1 && listed(twoDigits, area):
		return area + " usually has only two-digit districts"
	case district == "0" && !listed(districtZero, area):
		return area + " usually has no district 0"
	}
	return ""
}

// Hint says what is unusual about the postcode's outcode; see [Outcode.Hint].
func (p Postcode) Hint() string { return p.Outcode().Hint() }
