package messenger

import (
	"net/http"
	"strings"
	"time"
)

// Action is what a caller should do about a refused call.
type Action string

// The actions of a [Verdict].
const (
	Retry             Action = "retry"              // try again, with growing pauses
	WaitUntil         Action = "wait_until"         // a limit is reached: hold the page's calls for a while
	PageBroken        Action = "page_broken"        // no call of this page works until somebody acts
	PersonUnreachable Action = "person_unreachable" // this person cannot be reached
	OutsideWindow     Action = "outside_window"     // the person must write first, or a tag is needed
	Never             Action = "never"              // this call will not work however often it is tried
)

// Verdict is the judgement of a refusal.
type Verdict struct {
	Action Action
	After  time.Duration // how long to wait at least; 0 when the platform does not say
	Limit  int           // at most this many retries make sense; 0 leaves it to the caller
}

// class is one row of the table of codes.
type class struct {
	code, subcode int // subcode 0: every subcode that has no row of its own
	action        Action
	is            error
	limit         int
}

// Verdict judges the refusal by one table over the platform's codes. A code
// that is not in the table is judged by the transient flag and the status.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/error-codes
func (e *Error) Verdict() Verdict {
	c := e.classify()
	v := Verdict{Action: c.action, Limit: c.limit}
	if c.action == WaitUntil || c.action == Retry {
		v.After = e.regainAccess()
	}
	return v
}

func (e *Error) classify() class {
	// The proof of the app secret is refused with the code of invalid parameters.
	if e.Code == 100 && e.Type == "GraphMethodException" && strings.Contains(e.Message, "appsecret_proof") {
		return class{action: PageBroken, is: ErrTokenInvalid}
	}
	general, found := class{}, false
	for _, c := range codes {
		switch {
		case c.code != e.Code:
		case c.subcode == e.Subcode && c.subcode != 0:
			return c
		case c.subcode == 0:
			general, found = c, true
		}
	}
	if found {
		return general
	}
	if e.Code >= 80000 && e.Code <= 80014 {
		return class{action: WaitUntil, is: ErrRateLimited}
	}
	return e.byStatus()
}

func (e *Error) byStatus() class {
	switch {
	case e.Code >= 2300000 && e.Code <= 2300052:
		return class{action: Never, is: ErrInvalid}
	case e.Code == 0 && e.Status >= 200 && e.Status <= 299:
		return class{action: Never, is: ErrUnreadable}
	case e.Status == http.StatusTooManyRequests:
		return class{action: WaitUntil, is: ErrRateLimited}
	case e.Transient || e.Status >= 500 || e.Status == http.StatusRequestTimeout:
		return class{action: Retry, is: ErrTemporary}
	case e.Status == http.StatusUnauthorized:
		return class{action: PageBroken, is: ErrTokenInvalid}
	}
	return class{action: Never, is: ErrInvalid}
}

// codes is every code and subcode that is known; it is only read. Rows with PageBroken stop a whole
// page, so they are kept to what concerns the whole page: a permission that only some recipients
// need is Never.
var codes = [...]class{
	{1, 0, Retry, ErrTemporary, 1},
	{1, 1357046, Never, ErrUnreadable, 0}, // the messages were in fact sent
	{2, 0, Retry, ErrTemporary, 0},
	{2, 2018344, PageBroken, ErrPermission, 0},
	{3, 0, PageBroken, ErrPermission, 0},
	{4, 0, WaitUntil, ErrRateLimited, 0},
	{4, 2018022, WaitUntil, ErrRateLimited, 0},
	{4, 2018354, Never, ErrRateLimited, 0},
	{9, 0, Never, ErrRateLimited, 0},
	{9, 2018352, Never, ErrRateLimited, 0},
	{10, 0, PageBroken, ErrPermission, 0},
	{10, 2018065, OutsideWindow, ErrOutsideWindow, 0},
	{10, 2018278, OutsideWindow, ErrOutsideWindow, 0},
	{10, 2534022, OutsideWindow, ErrOutsideWindow, 0},
	{10, 2018108, PersonUnreachable, ErrUnreachable, 0},
	{10, 2018300, Never, ErrThreadControl, 0},
	{10, 2018321, Never, ErrThreadControl, 0},
	{10, 2018028, Never, ErrPermission, 0},
	{10, 1893063, PageBroken, ErrPolicy, 0},
	{17, 0, WaitUntil, ErrRateLimited, 0},
	{32, 0, WaitUntil, ErrRateLimited, 0},
	{100, 0, Never, ErrInvalid, 0},
	{100, 33, PersonUnreachable, ErrUnreachable, 0},
	{100, 2018001, PersonUnreachable, ErrUnreachable, 0},
	{100, 2018005, Never, ErrInvalid, 0},
	{100, 2018032, Never, ErrInvalid, 0},
	{100, 2018034, Never, ErrInvalid, 0},
	{100, 2018109, Never, ErrInvalid, 0},
	{100, 2018047, Never, ErrInvalid, 0},
	{100, 2018008, Retry, ErrInvalid, 1}, // the file could not be fetched
	{100, 2018294, Never, ErrInvalid, 0},
	{100, 2018074, Never, ErrInvalid, 0},
	{100, 2534015, Never, ErrInvalid, 0},
	{100, 2534037, Never, ErrInvalid, 0},
	{100, 1893061, Never, ErrInvalid, 0},
	{102, 0, PageBroken, ErrTokenInvalid, 0},
	{105, 0, Never, ErrInvalid, 0},
	{190, 0, PageBroken, ErrTokenInvalid, 0},
	{194, 0, Never, ErrInvalid, 0},
	{200, 0, PageBroken, ErrPermission, 0},
	{200, 1545041, PersonUnreachable, ErrUnreachable, 0},
	{200, 2018027, Never, ErrPermission, 0},
	{200, 2018021, Never, ErrPermission, 0},
	{200, 2018028, Never, ErrPermission, 0},
	{230, 0, Never, ErrPermission, 0},
	{341, 0, WaitUntil, ErrRateLimited, 0},
	{368, 0, PageBroken, ErrPolicy, 0},
	{506, 0, Never, ErrInvalid, 0},
	{546, 0, Never, ErrInvalid, 0},
	{551, 0, PersonUnreachable, ErrUnreachable, 0},
	{613, 0, WaitUntil, ErrRateLimited, 0},
	{803, 0, Never, ErrInvalid, 0},
	{1200, 0, Retry, ErrTemporary, 0},
	{10303, 0, Never, ErrInvalid, 0},
	{36000, 0, Never, ErrInvalid, 0},
	{80006, 0, WaitUntil, ErrRateLimited, 0},
	{1545010, 0, Retry, ErrTemporary, 0},
	{1545012, 0, Retry, ErrTemporary, 0},
	{1609005, 0, Never, ErrInvalid, 0},
	{2018218, 0, Never, ErrPermission, 0},
	{2018247, 0, Never, ErrPermission, 0},
	{2018300, 0, Never, ErrThreadControl, 0},
	{2018321, 0, Never, ErrThreadControl, 0},
	{9000001, 0, Never, ErrInvalid, 0},
}
