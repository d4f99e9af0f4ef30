/** The command line: each command's options, and what it prints. */
package io.sirocco.spark.job;
