/** The fast kernels, on oneDNN: the only place that knows JavaCPP, JNA and OpenMP. */
package io.sirocco.kernel.onednn;
