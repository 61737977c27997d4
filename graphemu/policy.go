package graphemu

import (
	"errors"
	"slices"
)

// PolicyAction is what the platform does to a page that breaks its policy:
// warning, block or unblock.
type PolicyAction struct {
	Action string `json:"action"`
	Reason string `json:"reason,omitempty"`
}

// EnforcePolicy warns, blocks or unblocks a page, and tells its apps. A blocked
// page cannot send.
func (s *Server) EnforcePolicy(pageID string, a PolicyAction) error {
	s.init()
	return s.world.enforcePolicy(pageID, a)
}

func (w *world) enforcePolicy(pageID string, a PolicyAction) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return ErrUnknownPage
	}
	if !slices.Contains([]string{"warning", "block", "unblock"}, a.Action) {
		return errors.New("a policy action is one of warning, block, unblock")
	}
	page.Restricted = a.Action == "block" || page.Restricted && a.Action == "warning"
	e := w.threads.fromPage(page, "messaging_policy_enforcement")
	e.wire.Policy = &a
	w.emit(page, nil, e)
	return nil
}
