package gatewayapi

// ConnectApplicationRequest is the body of POST /v1/applications.
type ConnectApplicationRequest struct {
	// The page.
	Page PageCredentials `json:"page"`
	// The Facebook app.
	Application AppCredentials `json:"application"`
	// Version of the Graph API such as v26.0; the gateway's default when left out.
	GraphVersion string `json:"graphVersion,omitempty"`
	// How many sends a second the page may make; the gateway's defaults when left out.
	Limits *Limits `json:"limits,omitempty"`
}

// Limits are how many sends a second a page may make; zero means the gateway's default.
type Limits struct {
	// Everything but audio and video.
	TextPerSecond float64 `json:"textPerSecond,omitempty"`
	// Audio and video.
	MediaPerSecond float64 `json:"mediaPerSecond,omitempty"`
}

// PageCredentials is what it takes to speak for a page.
type PageCredentials struct {
	// Page access token; never answered again.
	AccessToken string `json:"accessToken"`
}

// AppCredentials is what it takes to speak for a Facebook app.
type AppCredentials struct {
	// Number of the Facebook app.
	ID string `json:"id"`
	// The app's secret; never answered again.
	Secret string `json:"secret"`
}

// UpdateApplicationRequest is the body of PATCH and PUT /v1/applications/{key}; what is left out
// stays.
type UpdateApplicationRequest struct {
	// The page.
	Page *UpdatePage `json:"page,omitempty"`
	// The Facebook app.
	Application *UpdateApp `json:"application,omitempty"`
	// Version of the Graph API; empty for the gateway's default.
	GraphVersion *string `json:"graphVersion,omitempty"`
	// How many sends a second the page may make.
	Limits *Limits `json:"limits,omitempty"`
}

// UpdatePage replaces a page's token.
type UpdatePage struct {
	// New token of the same page; resumes a paused one.
	AccessToken *string `json:"accessToken,omitempty"`
}

// UpdateApp replaces an app's secret. The id may be repeated, and cannot change.
type UpdateApp struct {
	// May be repeated, and cannot change.
	ID *string `json:"id,omitempty"`
	// New secret; it holds for all pages of the app.
	Secret *string `json:"secret,omitempty"`
}

// Application is a connected page.
type Application struct {
	// 32 upper-case hexadecimal digits.
	Key string `json:"key"`
	// The page.
	Page Page `json:"page"`
	// The Facebook app.
	Application FacebookApp `json:"application"`
	// connecting, active or paused; paused says why.
	State ApplicationState `json:"state" enum:"connecting,active,paused"`
	// Why it is paused.
	Paused *Failure `json:"paused,omitempty"`
	// Since when it is paused.
	PausedAt Time `json:"pausedAt,omitzero"`
	// Version of the Graph API, where it is not the gateway's default.
	GraphVersion string `json:"graphVersion,omitempty"`
	// How many sends a second the page may make, where it is not the gateway's default.
	Limits *Limits `json:"limits,omitempty"`
	// The application's own address for webhooks; door says whether the app's one callback leads
	// there.
	CallbackURL string `json:"callbackUrl"`
	// Whether the Facebook app's one page callback leads to callbackUrl.
	Door bool `json:"door"`
	// When the newest event came.
	LastEventAt Time `json:"lastEventAt,omitzero"`
	// Outcome of the last check.
	LastCheck *ApplicationCheck `json:"lastCheck,omitempty"`
	// When it was connected.
	CreatedAt Time `json:"createdAt"`
	// When it last changed.
	UpdatedAt Time `json:"updatedAt"`
}

// Page describes a page.
type Page struct {
	// Id of the page.
	ID string `json:"id"`
	// Name of the page.
	Name string `json:"name,omitempty"`
	// Picture of the page.
	ImageURL string `json:"imageUrl,omitempty"`
}

// FacebookApp describes a Facebook app; name and image are empty where the platform refused them.
type FacebookApp struct {
	// Number of the app.
	ID string `json:"id"`
	// Name of the app.
	Name string `json:"name,omitempty"`
	// Logo of the app.
	ImageURL string `json:"imageUrl,omitempty"`
}

// ApplicationCheck is what the platform said about an application.
type ApplicationCheck struct {
	// When the platform was asked.
	CheckedAt Time `json:"checkedAt"`
	// Everything needed is there.
	OK bool `json:"ok"`
	// The platform accepts the page's token.
	TokenValid bool `json:"tokenValid"`
	// When the token ends; missing when it does not.
	TokenExpires Time `json:"tokenExpires,omitzero"`
	// Permissions of the token.
	Permissions []string `json:"permissions"`
	// Webhook fields the page sends this app.
	Fields []string `json:"fields"`
	// Webhook fields that should be subscribed and are not.
	MissingFields []string `json:"missingFields"`
	// The app's callback as the platform has it.
	CallbackURL string `json:"callbackUrl,omitempty"`
	// The callback leads to this gateway and is active.
	CallbackOK bool `json:"callbackOk"`
	// Payload of the Get Started button.
	GetStarted string `json:"getStarted,omitempty"`
	// When the newest event came.
	LastEventAt Time `json:"lastEventAt,omitzero"`
	// Plain words; empty when all is well.
	Problems []string `json:"problems"`

	// What the platform calls the token: PAGE is right.
	TokenType string `json:"tokenType,omitempty"`
	// When the token stops giving access to people's data; missing when it does not.
	DataAccessExpires Time `json:"dataAccessExpires,omitzero"`
	// The problems with codes and remedies, and what should be known beside.
	Findings []Finding `json:"findings"`
}

// Finding is something that a check found out.
type Finding struct {
	// Such as permission_missing; docs/facebook-setup.md lists them.
	Code FindingCode `json:"code"`
	// error, or warning for what keeps nothing from working now.
	Severity Severity `json:"severity" enum:"error,warning"`
	// What was found.
	Message string `json:"message"`
	// What to do.
	Remedy string `json:"remedy"`
	// Where the documentation says how.
	Doc string `json:"doc"`
}

// ApplicationList is the answer of GET /v1/applications.
type ApplicationList struct {
	// The oldest first.
	Applications []Application `json:"applications"`
}
