"""Signing in at another provider (OpenID Connect), by what stands behind `st.login`.

Streamlit goes to the provider and back, and leaves a signed cookie that says who came.
Here that cookie is read for the guard, before any page runs. A provider vouches for an
e-mail address only if it says that it was verified; that is the user's name here.
"""

import json
from collections.abc import Mapping
from typing import Any

from streamlit import auth_util
from streamlit.errors import StreamlitAuthError
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from tagger.errors import ConfigError

NAME = "default"
# Where Streamlit starts it, is come back to, and ends it.
START, BACK, END = "/auth/login", "/oauth2callback", "/auth/logout"
PATHS = (START, BACK, END)


def check() -> None:
    """Raise `ConfigError` unless a provider is set up, and all that takes is there."""
    if not auth_util.is_authlib_installed():
        raise ConfigError(
            'auth.mode = "oidc" needs two more packages: '
            "pip install -r requirements-oidc.txt"
        )
    try:
        auth_util.validate_auth_credentials(NAME)
    except StreamlitAuthError as error:
        said = " ".join(str(error).split())
        raise ConfigError(f'auth.mode = "oidc" cannot be used: {said}') from error


def url() -> str:
    """Where a browser is sent to sign in; good for a few minutes."""
    return f"{START}?provider={auth_util.encode_provider_token(NAME)}"


def named(cookies: Mapping[str, str], hours: float) -> str | None:
    """The address that the provider vouched for in the last hours, if any did."""
    secret = get_cookie_secret()

    def part(name: str) -> bytes | None:
        shown = cookies.get(name)
        if not shown or not secret:
            return None
        return decode_signed_value(secret, name, shown, max_age_days=hours / 24)

    told = auth_util.get_cookie_with_chunks(part, USER_COOKIE_NAME)
    return None if told is None else _address(told)


def _address(told: bytes) -> str | None:
    try:
        claims: Any = json.loads(told)
    except ValueError:
        return None
    if not isinstance(claims, dict) or claims.get("is_logged_in") is not True:
        return None
    address = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str):
        return None
    return address or None
