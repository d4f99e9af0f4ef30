package io.sirocco.kernel.onednn;

import io.sirocco.kernel.Weight;

/**
 * A weight in int8, packed, with a scale for each output: {@code W[n,k] = q[n,k] · scale[n]}.
 *
 * @param address of the packed values
 * @param scales address of N floats
 * @param owner keeps both alive
 */
record Int8Weight(
    int outputs,
    int inputs,
    PackedLayout layout,
    long address,
    long scales,
    Object owner,
    long copiedBytes)
    implements Weight {}
