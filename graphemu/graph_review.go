package graphemu

import (
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// reviewAPI answers the calls that ask what a page may do.
type reviewAPI struct{ *world }

// features is GET /{page}/messaging_feature_review.
func (a reviewAPI) features(*call) (any, *messenger.Error) {
	return map[string]any{"data": []any{map[string]string{"feature": "subscription_messaging", "status": "approved"}}}, nil
}

// tags is GET /page_message_tags.
func (a reviewAPI) tags(c *call) (any, *messenger.Error) {
	at := a.calendar.era(c.ver)
	if !a.calendar.takes(messenger.FeatureMessageTags, at) {
		return nil, errNoObject
	}
	data := []any{}
	list, _ := messenger.RuleOf(messenger.FeatureMessageTags)
	for r := range messenger.Rules() {
		if !a.calendar.takes(r.Feature, at) || !r.Until.Equal(list.Until) {
			continue // the list ended with its tags, and never had the later ones
		}
		for _, tag := range r.Tags {
			name := string(tag)
			words := strings.ToLower(strings.ReplaceAll(name, "_", " "))
			data = append(data, map[string]string{"tag": name, "description": "The " + name + " tag may only be used for: " + words + "."})
		}
	}
	return map[string]any{"data": data}, nil
}
