/**
 * One open model serving many callers: packs the rows of all callers into token-budgeted batches,
 * keeps memory inside its budget, and hands each caller its answers.
 */
package io.sirocco.engine;
