declare const brand: unique symbol;

/** A string or number that only its own parser makes, so that one kind of id cannot stand for another. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
