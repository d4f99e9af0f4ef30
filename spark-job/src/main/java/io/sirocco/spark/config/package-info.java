/** The YAML job file: read, checked, and written back with all its defaults. */
package io.sirocco.spark.config;
