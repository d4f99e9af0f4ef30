/** The command line and the YAML job file: read, run, report, exit code. */
package io.sirocco.spark.job;
