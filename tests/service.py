"""The service under test, its telephone, and what its log says: what stories are told with."""

from datetime import datetime

from paper import line, shipped
from phone import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_BASE_URL, AppWire, Call, Telephone

LINE = {each.id: each.number for each in shipped().lines.values()}
RINGS = {each.id: each.number for each in shipped().destinations.values()}
SECRET = "a secret of the tests, long enough for anybody"
ENVIRONMENT = {
    "IVR_ENV": "demo",
    "PUBLIC_BASE_URL": PUBLIC_BASE_URL,
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "SECRET_KEY": SECRET,
    "LOG_LEVEL": "ERROR",
}
__all__ = ["ENVIRONMENT", "LINE", "RINGS", "Service", "line"]
