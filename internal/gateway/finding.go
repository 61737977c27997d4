package gateway

import "github.com/chasqui/chasqui/gatewayapi"

// FindingCode names one kind of thing that is wrong, or may become so, with an application at the
// platform.
type FindingCode = gatewayapi.FindingCode

// The codes of findings. FindingTable explains each.
const (
	FindingTokenInvalid      = gatewayapi.FindingTokenInvalid
	FindingTokenOfOtherApp   = gatewayapi.FindingTokenOfOtherApp
	FindingTokenNotOfPage    = gatewayapi.FindingTokenNotOfPage
	FindingTokenOfOtherPage  = gatewayapi.FindingTokenOfOtherPage
	FindingTokenExpires      = gatewayapi.FindingTokenExpires
	FindingDataAccessExpires = gatewayapi.FindingDataAccessExpires
	FindingPermissionMissing = gatewayapi.FindingPermissionMissing
	FindingPermissionWanted  = gatewayapi.FindingPermissionWanted
	FindingSecretInvalid     = gatewayapi.FindingSecretInvalid
	FindingPageUnpublished   = gatewayapi.FindingPageUnpublished
	FindingPageFieldsMissing = gatewayapi.FindingPageFieldsMissing
	FindingCallbackMissing   = gatewayapi.FindingCallbackMissing
	FindingCallbackElsewhere = gatewayapi.FindingCallbackElsewhere
	FindingCallbackInactive  = gatewayapi.FindingCallbackInactive
	FindingCallbackNotHTTPS  = gatewayapi.FindingCallbackNotHTTPS
	FindingAppFieldsMissing  = gatewayapi.FindingAppFieldsMissing
	FindingGetStartedMissing = gatewayapi.FindingGetStartedMissing
	FindingNothingHeard      = gatewayapi.FindingNothingHeard
	FindingRefusedByPlatform = gatewayapi.FindingRefusedByPlatform
)

// Finding is something that a check found out.
type Finding struct {
	Code    FindingCode
	Message string // what was found, in plain words
}

// FindingInfo explains one code.
type FindingInfo struct {
	Code FindingCode
	// Warning is true for what keeps nothing from working now.
	Warning bool
	// Remedy says what to do.
	Remedy string
	// Section is the heading of docs/facebook-setup.md that says how, as a page's anchor.
	Section string
}

// FindingTable returns every code in the order in which a page is set up.
func FindingTable() []FindingInfo {
	const tokens, permissions, webhooks, page, live = "4-tokens", "5-permissions", "6-webhooks", "1-the-page", "9-going-live"
	return []FindingInfo{
		{FindingPageUnpublished, false, "Publish the page in its settings: nobody can write to a page that is not published.", page},
		{FindingSecretInvalid, false, "Copy the app secret from the app's basic settings and PATCH the application with it.", "2-the-app"},
		{FindingTokenInvalid, false, "Make a new page token and PATCH the application with it; the queue is kept meanwhile.", tokens},
		{FindingTokenOfOtherApp, false, "Make the page token with the app that the application names.", tokens},
		{FindingTokenNotOfPage, false, "Exchange the token for the page's own: GET /me/accounts.", tokens},
		{FindingTokenOfOtherPage, false, "Connect that page by itself, and give this application its own page's token.", tokens},
		{FindingTokenExpires, true, "Make the page token from a long-lived user token, or from a system user: such tokens do not end.", tokens},
		{FindingDataAccessExpires, true, "Have the person whose login made the token log in to the app again, or use a system user's token.", tokens},
		{FindingPermissionMissing, false, "Grant the permission, by the login dialog or to the system user, and make a new page token.", permissions},
		{FindingPermissionWanted, true, "Grant the permission if you need what the message names.", permissions},
		{FindingPageFieldsMissing, false, "PATCH /v1/applications/{key} with the page token that it has, which subscribes the page to everything.", webhooks},
		{FindingCallbackMissing, false, "PATCH /v1/applications/{key} with the page token that it has: the gateway sets the callback by itself. publicUrl must lead here from the internet.", webhooks},
		{FindingCallbackElsewhere, false, "An app has one callback. Use an app of its own for this gateway, or PATCH the application with its page token to take the callback over.", webhooks},
		{FindingCallbackInactive, false, "The platform has switched the callback off because it failed for long. See that publicUrl answers, then PATCH the application with its page token.", webhooks},
		{FindingCallbackNotHTTPS, true, "Give the gateway an https address (tlsCert and tlsKey, or a proxy before it) and set publicUrl to it.", webhooks},
		{FindingAppFieldsMissing, false, "PATCH /v1/applications/{key} with the page token that it has, which subscribes the app to everything.", webhooks},
		{FindingGetStartedMissing, true, "Set a payload: PUT /v1/applications/{key}/messenger-profile. Without it people see no button, and their first click tells you nothing.", "7-first-test"},
		{FindingNothingHeard, true, "Write to the page. While the app is in development only people with a role on it are heard.", live},
		{FindingRefusedByPlatform, false, "Read the platform's words; docs/errors.md explains the common ones.", permissions},
	}
}

// Info explains the code of a finding.
func (f Finding) Info() FindingInfo {
	for _, info := range FindingTable() {
		if info.Code == f.Code {
			return info
		}
	}
	return FindingInfo{Code: f.Code}
}

// Permission is a permission that a page token may need.
type Permission struct {
	Name     string
	Required bool   // without it an application does not work
	For      string // what it is needed for
}

// Permissions lists what a page token needs.
//
// Docs: https://developers.facebook.com/docs/permissions
func Permissions() []Permission {
	return []Permission{
		{"pages_messaging", true, "sending and receiving messages"},
		{"pages_manage_metadata", true, "subscribing the page to webhooks, and its Messenger profile"},
		{"pages_read_engagement", false, "the page's picture and further fields of it"},
		{"pages_show_list", false, "listing the pages of a login, which is how page tokens are made"},
	}
}
