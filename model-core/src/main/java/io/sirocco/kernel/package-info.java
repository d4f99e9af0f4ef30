/**
 * The handful of numeric operations a transformer needs: one interface, a plain Java implementation
 * that is the oracle, and {@code kernel.onednn}, the fast twin and the only place that knows
 * JavaCPP.
 */
package io.sirocco.kernel;
