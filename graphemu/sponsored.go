package graphemu

import (
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// sponsor is POST /act_{ad account}/sponsored_message_ads.
func (s *Server) sponsor(c *call) (any, *messenger.Error) {
	if !s.calendar.takes(messenger.FeatureSponsored, s.calendar.era(c.ver)) {
		return nil, refuse(100, 0, "(#100) sponsored_message_ads is no longer available since March 4, 2020: use the Marketing API")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.page]
	if page == nil || strings.TrimPrefix(c.node, "act_") != page.AdAccount {
		return nil, unsupported(c)
	}
	_, i := findByID(page.Creatives, c.params.text("message_creative_id"))
	if i < 0 {
		return nil, refuse(100, 0, "(#100) Param message_creative_id must be a valid message creative ID")
	}
	for _, name := range []string{"daily_budget", "bid_amount"} {
		if n, err := strconv.ParseFloat(c.params.text(name), 64); err != nil || n <= 0 {
			return nil, refuse(100, 0, "(#100) Param "+name+" must be an integer greater than 0")
		}
	}
	if _, ok := c.params["targeting"]; !ok {
		return nil, refuse(100, 0, "(#100) The parameter targeting is required.")
	}
	b := &broadcast{ID: s.newNode("broadcast", page), Creative: c.params.text("message_creative_id"), App: c.app, At: s.clock.now(), Status: "IN_PROGRESS"}
	page.Broadcasts = append(page.Broadcasts, b)
	s.runBroadcast(page, b, broadcastDelay)
	return map[string]any{"ad_group_id": s.ids.fresh("ad group", 14), "broadcast_id": b.ID, "success": true}, nil
}
