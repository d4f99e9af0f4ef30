/**
 * Models from anywhere: what the driver must know of a remote model, and the one copy of it that
 * the executors of a host share, in a cache with a limit that prepared weights count in, too.
 */
package io.sirocco.spark.store;
