// What is sent: templates, settings and the like, valid by the platform's rules.
'use strict';

const image = 'https://example.com/picture.png';
const postback = (title, payload) => ({ type: 'postback', title, payload });
const link = (title) => ({ type: 'web_url', title, url: 'https://example.com/' });

const airport = (code, city) => ({ airport_code: code, city, terminal: 'T4', gate: 'G8' });
const flight = {
  flight_number: 'KL123', departure_airport: airport('SFO', 'San Francisco'), arrival_airport: airport('AMS', 'Amsterdam'),
  flight_schedule: { boarding_time: '2026-12-26T10:30', departure_time: '2026-12-26T11:30', arrival_time: '2026-12-27T07:30' },
};

module.exports = {
  image,
  buttons: [postback('Start', 'START'), link('Website')],
  elements: [
    { title: 'Hats', subtitle: 'For every head', image_url: image, default_action: { type: 'web_url', url: 'https://example.com/hats' }, buttons: [postback('Buy', 'BUY')] },
    { title: 'Scarves', subtitle: 'Warm' },
  ],
  listElements: [{ title: 'First', subtitle: 'One', image_url: image, buttons: [link('View')] }, { title: 'Second', subtitle: 'Two' }],
  openGraph: [{ url: 'https://open.spotify.com/track/7GhIk7Il098yCjg4BQjzvb', buttons: [link('More')] }],
  receipt: (number) => ({
    recipient_name: 'Ana Quispe', order_number: number, currency: 'USD', payment_method: 'Visa 2345', order_url: 'https://example.com/order', timestamp: '1428444852',
    elements: [{ title: 'Shirt', subtitle: 'Cotton', quantity: 2, price: 50, currency: 'USD', image_url: image }],
    address: { street_1: '1 Main Street', street_2: '', city: 'Cusco', postal_code: '08000', state: 'CU', country: 'PE' },
    summary: { subtotal: 75, shipping_cost: 4.95, total_tax: 6.19, total_cost: 56.14 }, adjustments: [{ name: 'Discount', amount: 20 }],
  }),
  boardingPass: {
    intro_message: 'You are checked in.', locale: 'en_US',
    boarding_pass: [{
      passenger_name: 'QUISPE/ANA', pnr_number: 'CG4X7U', travel_class: 'business', seat: '74J', logo_image_url: image, header_image_url: image, qr_code: 'M1QUISPE/ANA',
      above_bar_code_image_url: image, auxiliary_fields: [{ label: 'Terminal', value: 'T1' }], secondary_fields: [{ label: 'Boarding', value: '18:30' }], flight_info: flight,
    }],
  },
  checkin: { intro_message: 'Check-in is open.', locale: 'en_US', pnr_number: 'ABCDEF', flight_info: [flight], checkin_url: 'https://example.com/check-in' },
  itinerary: {
    intro_message: "Here's your itinerary.", locale: 'en_US', pnr_number: 'ABCDEF',
    passenger_info: [{ name: 'Ana Quispe', ticket_number: '0741234567890', passenger_id: 'p001' }],
    flight_info: [{ ...flight, connection_id: 'c001', segment_id: 's001', aircraft_type: 'Boeing 737', travel_class: 'business' }],
    passenger_segment_info: [{ segment_id: 's001', passenger_id: 'p001', seat: '12A', seat_type: 'Business' }],
    price_info: [{ title: 'Fuel surcharge', amount: '1597', currency: 'USD' }], base_price: '12206', tax: '200', total_price: '14003', currency: 'USD',
  },
  update: { intro_message: 'Your flight is delayed', update_type: 'delay', locale: 'en_US', pnr_number: 'CF23G2', update_flight_info: flight },
  greeting: [{ locale: 'default', text: 'Hello {{user_first_name}}!' }, { locale: 'es_LA', text: '¡Hola!' }],
  menuItems: [postback('Help', 'HELP'), { type: 'web_url', title: 'Website', url: 'https://example.com/' }],
  quickReplies: [{ content_type: 'text', title: 'Red', payload: 'RED', image_url: image }, { content_type: 'user_email' }],
  iceBreakers: [{ question: 'Where are you?', payload: 'WHERE' }, { question: 'When are you open?', payload: 'WHEN' }],
};
