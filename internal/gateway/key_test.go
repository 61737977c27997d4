package gateway

import "testing"

// The zero value of a key may touch nothing: whoever forgets to set it does no harm.
func TestZeroKeyMayTouchNothing(t *testing.T) {
	t.Parallel()
	k := new(APIKey)
	p := &Profile{ID: "ann", Application: "A", Addresses: map[string]string{"B": "1"}}
	if k.AllowsApplication("A") || k.AllowsApplication("") || k.AllowsProfile(p) || k.OwnsProfile(p) || k.AllowsProfile(&Profile{ID: "bob"}) || k.AllowsAll(nil) ||
		k.AllowsAll([]string{"A"}) || k.AllowsRoute(&Route{Application: "A"}) || k.Allows(ScopeMessagesRead) || !k.Limited() {
		t.Error("the zero value of a key may do something")
	}
	all := Everything()
	if !all.AllowsApplication("A") || !all.AllowsProfile(p) || !all.OwnsProfile(p) || !all.AllowsAll(nil) || !all.Allows(ScopeMessagesRead) || all.Limited() {
		t.Error("the program itself may not do everything")
	}
	if one := Everything(ScopeEventsRead); one.Allows(ScopeMessagesRead) || !one.Allows(ScopeEventsRead) {
		t.Error("the scopes of the program's own key are not those it asked for")
	}
}
