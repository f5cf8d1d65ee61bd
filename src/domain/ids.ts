// Branded strings, so that a concert's id cannot be used as a seat's. An id is checked to be a UUID where it enters the
// system (HTTP schema, row, signed token), and trusted inside.

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

export type UserId = Id<'user'>;
export type ConcertId = Id<'concert'>;
export type ReservationId = Id<'reservation'>;
export type PaymentId = Id<'payment'>;
export type RefundId = Id<'refund'>;
export type ChargeId = Id<'charge'>;
export type EndpointId = Id<'endpoint'>;

/** A calendar date of a concert, `YYYY-MM-DD`, without a time zone: the date printed on the ticket. */
export type ConcertDate = Id<'date'>;

export const userId = (uuid: string): UserId => uuid as UserId;
export const concertId = (uuid: string): ConcertId => uuid as ConcertId;
export const reservationId = (uuid: string): ReservationId => uuid as ReservationId;
export const paymentId = (uuid: string): PaymentId => uuid as PaymentId;
export const refundId = (uuid: string): RefundId => uuid as RefundId;
export const chargeId = (uuid: string): ChargeId => uuid as ChargeId;
export const endpointId = (uuid: string): EndpointId => uuid as EndpointId;
export const concertDate = (date: string): ConcertDate => date as ConcertDate;
