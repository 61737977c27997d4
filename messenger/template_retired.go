package messenger

// ListTemplate is a list of 2 to 4 elements with at most one button below.
//
// Deprecated: the platform no longer accepts it since July 29, 2019 (v4.0). Use [GenericTemplate].
type ListTemplate struct {
	TopElementStyle string    `json:"top_element_style,omitempty"` // large, compact
	Elements        []Element `json:"elements"`
	Buttons         []Button  `json:"buttons,omitempty"`
	Sharable        bool      `json:"sharable,omitempty"`
}

// OpenGraphTemplate shows one page of the web that the platform knows, such as
// a song.
//
// Deprecated: the platform no longer accepts it since July 29, 2019 (v4.0). Use [GenericTemplate].
type OpenGraphTemplate struct {
	Elements []OpenGraphElement `json:"elements"` // exactly one
	Sharable bool               `json:"sharable,omitempty"`
}

// OpenGraphElement is the page of an open graph template.
type OpenGraphElement struct {
	URL     string   `json:"url"`
	Buttons []Button `json:"buttons,omitempty"` // up to 3
}
