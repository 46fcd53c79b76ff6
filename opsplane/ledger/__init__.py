"""The record: every exchange and every act, in SQL."""
