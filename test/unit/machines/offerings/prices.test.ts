import { expect, test } from 'vitest';
import { priceOf, pricesAt } from '../../../../shared/machines/offerings/prices.ts';

test('a size has a price in its region, whatever the letter case', () => {
  expect(priceOf('westeurope', 'Standard_B2s')).toBeCloseTo(0.048, 4);
  expect(priceOf('West Europe', 'standard_b2s')).toBe(priceOf('westeurope', 'Standard_B2s'));
  expect(pricesAt).toMatch(/^20\d\d-/);
});

test('spot is bounded by the regular price', () => {
  expect(priceOf('westeurope', 'Standard_B2s', 'spot')).toBe(priceOf('westeurope', 'Standard_B2s'));
});

test('what the table does not know has no price', () => {
  expect(priceOf('westeurope', 'Standard_None')).toBeUndefined();
  expect(priceOf('nowhere', 'Standard_B2s')).toBeUndefined();
});
