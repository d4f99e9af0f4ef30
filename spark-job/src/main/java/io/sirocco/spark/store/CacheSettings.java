package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.nio.file.Path;
import java.util.Objects;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/**
 * How a host keeps its copies of remote models.
 *
 * @param folder of the cache
 * @param maxSize bytes that the cache may take, {@link #NO_LIMIT} where only the disk limits it
 * @param check what is checked of a copy that is there
 */
public record CacheSettings(Path folder, long maxSize, Check check) {
  /** Of {@link #maxSize}. */
  public static final long NO_LIMIT = Long.MAX_VALUE;

  static final String DIR = "spark.sirocco.cache.dir";
  static final String MAX_SIZE = "spark.sirocco.cache.maxSize";
  private static final String VERIFY = "spark.sirocco.cache.verify";

  /** Of a copy's files. */
  public enum Check {
    /** That they are there, with their sizes. */
    SIZES,
    /** Also that their bytes have the checksums they were fetched with. */
    CHECKSUMS
  }

  public CacheSettings {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(check, "check");
    if (maxSize < 1) {
      throw new ModelException(MAX_SIZE, "is " + maxSize + ", expected a size such as 200g");
    }
  }

  /** Those of the executor in this JVM. */
  static CacheSettings here() {
    SparkEnv env = SparkEnv.get();
    return of(env == null ? new SparkConf() : env.conf());
  }

  /**
   * Those of a Spark configuration.
   *
   * @throws ModelException if a setting has a value that makes no sense
   */
  public static CacheSettings of(SparkConf conf) {
    Path home = Path.of(System.getProperty("user.home", ""), ".cache", "sirocco", "models");
    try {
      boolean verify = conf.getBoolean(VERIFY, false);
      return new CacheSettings(
          Path.of(conf.get(DIR, home.toString())),
          conf.contains(MAX_SIZE) ? conf.getSizeAsBytes(MAX_SIZE) : NO_LIMIT,
          verify ? Check.CHECKSUMS : Check.SIZES);
    } catch (IllegalArgumentException e) {
      throw new ModelException("spark.sirocco.cache", e.getMessage(), e);
    }
  }
}
