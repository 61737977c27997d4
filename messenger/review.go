package messenger

import "context"

// FeatureReview is what the platform decided on a feature of a page.
type FeatureReview struct {
	Feature string `json:"feature"` // such as subscription_messaging
	Status  string `json:"status"`  // pending, rejected, approved, limited
}

// FeatureReviews returns how far the review of the page's features has come.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messaging-feature-review-api
func (c *Client) FeatureReviews(ctx context.Context) ([]FeatureReview, error) {
	answer, err := get[data[[]FeatureReview]](ctx, c, "me/messaging_feature_review", nil)
	return answer.Data, err
}

// MessageTag describes a tag that a message may have.
type MessageTag struct {
	Tag         Tag    `json:"tag"`
	Description string `json:"description"`
}

// MessageTags lists the tags that the platform accepts.
//
// Deprecated: the platform removed the list on March 4, 2020. Use
// [TagHumanAgent], the tag that remained.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/message-tags
func (c *Client) MessageTags(ctx context.Context) ([]MessageTag, error) {
	answer, err := get[data[[]MessageTag]](ctx, c, "page_message_tags", nil)
	return answer.Data, err
}
