/**
 * The validator that the form library asks for.
 *
 * It finds nothing: the gateway's own answer is what counts, and a validator that compiles schemas to code would need a
 * content security policy that allows `eval`.
 */
import type { RJSFSchema, ValidatorType } from '@rjsf/utils';

export const validator: ValidatorType<unknown, RJSFSchema> = {
  validateFormData: () => ({ errors: [], errorSchema: {} }),
  isValid: () => true,
  rawValidation: () => ({ errors: [] }),
};

export default validator;
