package messenger

// AirlineBoardingPassTemplate shows one or more boarding passes for the same flight.
type AirlineBoardingPassTemplate struct {
	IntroMessage string         `json:"intro_message"`
	Locale       string         `json:"locale"` // such as en_US
	ThemeColor   string         `json:"theme_color,omitempty"`
	BoardingPass []BoardingPass `json:"boarding_pass"`
}

// BoardingPass is the pass of one passenger. Exactly one of QRCode and
// BarcodeImageURL is set.
type BoardingPass struct {
	PassengerName        string         `json:"passenger_name"`
	PNRNumber            string         `json:"pnr_number"`
	TravelClass          string         `json:"travel_class,omitempty"` // economy, business, first_class
	Seat                 string         `json:"seat,omitempty"`
	AuxiliaryFields      []AirlineField `json:"auxiliary_fields,omitempty"` // up to 5
	SecondaryFields      []AirlineField `json:"secondary_fields,omitempty"` // up to 5
	LogoImageURL         string         `json:"logo_image_url"`
	HeaderImageURL       string         `json:"header_image_url,omitempty"`
	HeaderTextField      *AirlineField  `json:"header_text_field,omitempty"`
	QRCode               string         `json:"qr_code,omitempty"`
	BarcodeImageURL      string         `json:"barcode_image_url,omitempty"`
	AboveBarCodeImageURL string         `json:"above_bar_code_image_url"`
	FlightInfo           FlightInfo     `json:"flight_info"`
}

// AirlineField is a labelled value on a boarding pass or an itinerary.
type AirlineField struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// FlightInfo is one flight.
type FlightInfo struct {
	ConnectionID     string         `json:"connection_id,omitempty"` // itineraries
	SegmentID        string         `json:"segment_id,omitempty"`    // itineraries
	FlightNumber     string         `json:"flight_number"`
	AircraftType     string         `json:"aircraft_type,omitempty"`
	TravelClass      string         `json:"travel_class,omitempty"` // economy, business, first_class
	DepartureAirport Airport        `json:"departure_airport"`
	ArrivalAirport   Airport        `json:"arrival_airport"`
	FlightSchedule   FlightSchedule `json:"flight_schedule"`
}

// Airport is where a flight begins or ends.
type Airport struct {
	AirportCode string `json:"airport_code"`
	City        string `json:"city"`
	Terminal    string `json:"terminal,omitempty"`
	Gate        string `json:"gate,omitempty"`
}

// FlightSchedule is when a flight goes, each moment as "2016-01-05T15:45" in the
// airport's own time.
type FlightSchedule struct {
	BoardingTime  string `json:"boarding_time,omitempty"`
	DepartureTime string `json:"departure_time"`
	ArrivalTime   string `json:"arrival_time,omitempty"`
}

// AirlineCheckinTemplate reminds of the check-in.
type AirlineCheckinTemplate struct {
	IntroMessage string       `json:"intro_message"`
	Locale       string       `json:"locale"`
	ThemeColor   string       `json:"theme_color,omitempty"`
	PNRNumber    string       `json:"pnr_number,omitempty"`
	CheckinURL   string       `json:"checkin_url"`
	FlightInfo   []FlightInfo `json:"flight_info"`
}

// AirlineItineraryTemplate confirms a journey.
type AirlineItineraryTemplate struct {
	IntroMessage         string                 `json:"intro_message"`
	Locale               string                 `json:"locale"`
	ThemeColor           string                 `json:"theme_color,omitempty"`
	PNRNumber            string                 `json:"pnr_number"`
	PassengerInfo        []PassengerInfo        `json:"passenger_info"`
	FlightInfo           []FlightInfo           `json:"flight_info"`
	PassengerSegmentInfo []PassengerSegmentInfo `json:"passenger_segment_info"`
	PriceInfo            []AirlinePrice         `json:"price_info,omitempty"` // up to 4
	BasePrice            Decimal                `json:"base_price,omitempty"`
	Tax                  Decimal                `json:"tax,omitempty"`
	TotalPrice           Decimal                `json:"total_price"`
	Currency             string                 `json:"currency"`
}

// PassengerInfo is one passenger of an itinerary.
type PassengerInfo struct {
	PassengerID  string `json:"passenger_id"`
	TicketNumber string `json:"ticket_number,omitempty"`
	Name         string `json:"name"`
}

// PassengerSegmentInfo is one passenger on one flight of an itinerary.
type PassengerSegmentInfo struct {
	SegmentID   string        `json:"segment_id"`
	PassengerID string        `json:"passenger_id"`
	Seat        string        `json:"seat"`
	SeatType    string        `json:"seat_type"`
	ProductInfo []ProductInfo `json:"product_info,omitempty"` // up to 4
}

// ProductInfo is an extra of a passenger, such as a meal.
type ProductInfo struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// AirlinePrice is one line of the price of an itinerary.
type AirlinePrice struct {
	Title    string  `json:"title"`
	Amount   Decimal `json:"amount"`
	Currency string  `json:"currency,omitempty"`
}

// AirlineUpdateTemplate reports a delay, another gate or a cancellation.
type AirlineUpdateTemplate struct {
	IntroMessage     string     `json:"intro_message"`
	ThemeColor       string     `json:"theme_color,omitempty"`
	UpdateType       string     `json:"update_type"` // delay, gate_change, cancellation
	Locale           string     `json:"locale"`
	PNRNumber        string     `json:"pnr_number,omitempty"`
	UpdateFlightInfo FlightInfo `json:"update_flight_info"`
}
